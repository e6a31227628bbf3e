"""Workers on people's machines that wait until their program may go on."""
