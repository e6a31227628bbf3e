// Home: the list of what waits, answered in place.
import { install } from "../app.js";
import * as shelf from "./shelf.js";
import * as notes from "./notes.js";
import * as rows from "./rows.js";
import * as held from "./held.js";
import * as later from "./later.js";
import * as selection from "./selection.js";
import * as peek from "./peek.js";
import * as dock from "./dock.js";
install(shelf, rows, notes, held, later, selection, peek, dock);
