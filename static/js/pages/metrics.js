// The page of metrics.
import { install } from "../app.js";
import * as plots from "./plots.js";
install(plots);
