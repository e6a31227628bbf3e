"""HTTP on the wire: what every request passes before anybody asks who sent it."""
