// Transcripts of sessions.
import { install } from "../app.js";
import * as transcript from "./scroll.js";
install(transcript);
