// A board or its table: the query, what is offered while typing, several tasks at once.
import { install } from "../app.js";
import * as query from "./query.js";
import * as select from "./select.js";
import * as suggest from "./suggest.js";
install(suggest, query, select);
