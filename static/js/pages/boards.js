// A board or its table: the query, quick add, moves by key, several tasks at once.
import { install } from "../app.js";
import * as place from "./place.js";
import * as query from "./query.js";
import * as quick from "./quick.js";
import * as select from "./select.js";
import * as suggest from "./suggest.js";
install(suggest, query, quick, place, select);
