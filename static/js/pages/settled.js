// What others answered leaves a list that was left open: it shows what waits. Nothing moves under who writes.
const STAYS = 120_000; // ms for which a row says who else answered it; as in home/listing.py

/** `isWriting`: the focus is in a field. */
export const tidy = (isWriting) => {
  if (isWriting) return;
  for (const row of document.querySelectorAll("#queue .need[data-state=decided]")) {
    const isOld = Date.now() - Date.parse(row.querySelector(".need-outcome time")?.dateTime) > STAYS;
    if (isOld && !row.contains(document.activeElement)) row.remove();
  }
};
