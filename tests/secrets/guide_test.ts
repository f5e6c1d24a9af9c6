import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeRepository } from "../world/repository.ts";
import { output, run } from "../world/program.ts";
import { Bao } from "../vault/bao.ts";
import { World } from "../world/world.ts";
import { blocks, systemdLines } from "./guide.ts";

const refusal = await World.refusal();
if (refusal) console.log(`the guide is not tested here: ${refusal}`);

Deno.test({
  name: "every command of the guide to secrets works, in its order",
  ignore: refusal !== null,
  fn: async () => {
    await using world = await World.make();
    await using bao = await Bao.start({ prepared: false });
    const folder = `${world.folder}/infra`;
    await makeRepository(folder);
    const home = `${world.folder}/me`;
    await output(["mkdir", "-p", home, `${folder}/bin`]);
    const where = await output(["sh", "-c", "command -v bao"]);
    await Deno.symlink(where, `${home}/vault`);
    await Deno.writeTextFile(
      `${home}/editor`,
      '#!/bin/sh\necho "password: sesame" >"$1"\n',
      { mode: 0o755 },
    );
    const env = {
      HOME: home,
      EDITOR: `${home}/editor`,
      VAULT_ADDR: bao.address,
      VAULT_TOKEN: bao.token,
      PATH: `${home}:${import.meta.dirname}/../world/bin:${
        Deno.env.get("PATH")
      }`,
    };
    const key = async (path: string, user: boolean) =>
      (await world.output(
        ["sh", "-c", `test ! -e ${path} || age-keygen -y ${path}`],
        user ? { env } : {},
      )).trim();
    const newHost = await output(["age-keygen"]);
    let commands = 0;
    for (const { language, text, path } of blocks()) {
      const filled = text
        .replaceAll("AGE1HOST", await key("/etc/ssh/age.key", false))
        .replaceAll("AGE1ME", await key("~/.config/sops/age/keys.txt", true))
        .replaceAll("AGE1NEW", /age1\S+/.exec(newHost)![0])
        .replaceAll("VAULT/", `${bao.address}/`);
      if (path !== undefined) {
        await output([
          "mkdir",
          "-p",
          `${folder}/${path}/..`.replace(/[^/]+\/\.\.$/, ""),
        ]);
        await Deno.writeTextFile(`${folder}/${path}`, filled);
      }
      if (language === "nix") {
        await output(["nix-instantiate", "--parse", "-E", filled]);
      }
      if (language !== "sh") continue;
      const script = filled.split("\n")
        .filter((line) => !systemdLines().includes(line)).join("\n");
      const { code, stdout, stderr } = await world.run(
        ["bash", "-euo", "pipefail", "-c", script],
        { cwd: folder, env },
      );
      assertEquals(code, 0, `${script}\n${stdout}${stderr}`);
      commands += script.split("\n").filter((line) => line !== "").length;
    }
    assert(commands > 20, `only ${commands} commands were run`);
    const decrypt = (path: string) =>
      world.run(["sops", "decrypt", `${folder}/${path}`], {
        env: { SOPS_AGE_KEY_FILE: "/etc/ssh/age.key", HOME: "/var/empty" },
      });
    for (const path of ["secrets/myhost.yaml", "other.yaml", "vault/db.yaml"]) {
      const { stdout, stderr } = await decrypt(path);
      assertEquals(stdout, "password: sesame\n", `${path}: ${stderr}`);
    }
    const age = ["age", "-d", "-i", "/etc/ssh/age.key"];
    assertEquals(
      await world.output([...age, `${folder}/secrets/token.age`]),
      "password: sesame",
    );
    const log = await run(["git", "log", "--format=%s"], { cwd: folder });
    assertStringIncludes(log.stdout, "Secrets for newhost");
  },
});
