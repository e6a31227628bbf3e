import { install } from "../app.js";
import * as diff from "./diff.js";
import * as files from "./files.js";
import * as props from "./props.js";

install(diff, files, props);
