import { install } from "../app.js";
import * as files from "./files.js";
import * as props from "./props.js";

install(files, props);
