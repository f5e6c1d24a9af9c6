/** The age that a system brings along, held to real ones of two versions. */
import { assertEquals } from "@std/assert";
import { exists } from "@std/fs";
import { judgeFile } from "../../lib/secrets/opening.ts";
import { readIdentity } from "../../lib/secrets/identities.ts";
import { pluginFolder } from "./foreign/programs.ts";
import { bytes, effects, must, withKeys } from "./keys.ts";

const newer = await pluginFolder();
if (!newer) console.log("the age of a system is not tested here: only one age");

Deno.test({
  name: "what the age of the built system says counts, and not what ours says",
  ignore: newer === undefined || !await exists("/usr/bin/age"),
  fn: async () => {
    await withKeys(async ({ folder, age }) => {
      const key = `${folder}/pq.key`;
      await must(`${newer}/age-keygen`, ["-pq", "-o", key]);
      const text = new TextDecoder().decode(
        await must(`${newer}/age-keygen`, ["-y", key]),
      ).trim();
      const encrypt = async (to: string) =>
        await must(`${newer}/age`, ["--encrypt", "-r", to], bytes("x"));
      const ofPq = await encrypt(text);
      const ofAge = await encrypt(age.recipients[0]!);
      // Ours can't read such a key, and names no recipient of it.
      const pq = { path: key, kind: "age" as const, recipients: [] };
      const own = await readIdentity(effects, age.path);
      const programs = {
        newer: `${newer}/age`,
        older: "/usr/bin/age",
        none: `${folder}/none`,
      };
      const withOurs = (path: string) => ({
        ...effects,
        run: (command: Parameters<typeof effects.run>[0]) =>
          effects.run(
            command.program === "age" ? { ...command, program: path } : command,
          ),
      });
      type Name = keyof typeof programs;
      const table: [ours: Name, theirs: Name, Uint8Array, boolean][] = [
        ["older", "newer", ofPq, true],
        ["newer", "older", ofPq, false],
        ["newer", "newer", ofPq, true],
        // Where it can't be run, ours alone can say.
        ["newer", "none", ofPq, true],
        ["older", "none", ofPq, false],
        // Any age opens it: theirs is not started.
        ["older", "none", ofAge, true],
      ];
      for (const [ours, theirs, content, isOpen] of table) {
        const file = `${folder}/a.age`;
        await Deno.writeFile(file, content);
        const answer = await judgeFile(
          withOurs(programs[ours]),
          { identities: [content === ofPq ? pq : own] },
          {
            name: "a.age",
            bytes: content,
            format: "age",
            opener: { program: { path: programs[theirs], plugins: [] }, file },
          },
        );
        const told = `${ours} ${theirs}: ${Deno.inspect(answer)}`;
        assertEquals(answer.kind === "opened", isOpen, told);
      }
    });
  },
});
