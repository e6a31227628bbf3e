// Forms of an organization's things: a slug from a name, a colour as it looks, and what a type of field can have.
import { install } from "../app.js";
import * as forms from "./thing_forms.js";
install(forms);
