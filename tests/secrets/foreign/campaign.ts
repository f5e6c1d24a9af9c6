/**
 * Makes over 800 files with all versions of sops and age that are here, and
 * prints what our check says otherwise than those programs: `./dev secrets`.
 *
 * @module
 */
import { holdAll } from "./held.ts";

const held = await holdAll();
for (const one of held.falseAlarms) console.log(`false alarm: ${one}`);
for (const one of held.falsePasses) console.log(`false pass: ${one}`);
const { files, opened, foreign, refused, keys } = held;
console.log(
  `${files} files: ${opened} opened, ${foreign} for others, ${refused} refused; ${keys} keys of sops-nix`,
);
console.log(
  `${held.falseAlarms.length} false alarms, ${held.falsePasses.length} false passes`,
);
const isGood = held.falseAlarms.length + held.falsePasses.length === 0;
Deno.exit(isGood && files >= 800 ? 0 : 1);
