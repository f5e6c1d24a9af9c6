/**
 * The versions of sops that are on this machine: that of PATH, and the newer
 * one that `./dev` makes where it can.
 *
 * @module
 */
import { exists } from "@std/fs";
import type { Effects } from "../../lib/base/effects.ts";
import { effects, must } from "./keys.ts";

/** A sops to test with. */
export interface SopsProgram {
  version: string;
  path: string;
  /** Effects that run this one where sops is asked for. */
  effects: Effects;
  /** Encrypts a text as a file of that name would be. */
  encrypt(
    name: string,
    plain: string | Uint8Array,
    ...args: string[]
  ): Promise<Uint8Array>;
  /** Whether it opens a file of that name with this file of age keys. */
  decrypts(
    name: string,
    content: Uint8Array,
    keyFile: string,
  ): Promise<boolean>;
}

/** The newer version, besides that of PATH. */
const newer = "3.13.2";

/** All that there are; it prints which is missing. */
export const sopsPrograms: readonly SopsProgram[] = await find();

async function find(): Promise<SopsProgram[]> {
  const home = Deno.env.get("XDG_CACHE_HOME") ??
    `${Deno.env.get("HOME")}/.cache`;
  const path = `${home}/gitops-sync-dev/tools/sops-${newer}/sops`;
  const found = [await programOf("sops")];
  if (await exists(path)) found.push(await programOf(path));
  else console.log(`sops ${newer} is not here (./dev setup makes it with Go)`);
  return found;
}

async function programOf(path: string): Promise<SopsProgram> {
  const said = await must(path, ["--version", "--disable-version-check"]);
  const version = /\d+\.\d+\.\d+/.exec(new TextDecoder().decode(said))![0];
  return {
    version,
    path,
    effects: {
      ...effects,
      run: (command) =>
        effects.run(
          command.program === "sops" ? { ...command, program: path } : command,
        ),
    },
    encrypt: (name, plain, ...args) =>
      must(
        path,
        // No .sops.yaml of wherever the tests are run.
        ["--config", "/dev/null", "encrypt", "--filename-override", name]
          .concat(args, "/dev/stdin"),
        typeof plain === "string" ? new TextEncoder().encode(plain) : plain,
      ),
    decrypts: async (name, content, keyFile) => {
      const args = ["--config", "/dev/null", "decrypt", "--filename-override"];
      const { code } = await effects.run({
        program: path,
        args: [...args, name, "/dev/stdin"],
        env: { SOPS_AGE_KEY_FILE: keyFile },
        input: content,
        timeout: 60_000,
      });
      return code === 0;
    },
  };
}
