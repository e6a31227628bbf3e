// A board or its table: the query, what is offered while typing.
import { install } from "../app.js";
import * as query from "./query.js";
import * as suggest from "./suggest.js";
install(suggest, query);
