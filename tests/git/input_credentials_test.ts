/** The credentials of inputs, as Git and Nix take them. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inputEnvironment } from "../../lib/git/input_credentials.ts";
import { run } from "../../lib/process/run_command.ts";
import { inFolder } from "../folder.ts";
import { configOf, makeInfra } from "./remote.ts";
import { gitHttp, serve, withToken } from "./servers.ts";

async function asked(
  program: string,
  args: string[],
  env: Record<string, string>,
): Promise<string> {
  const { stdout, stderr } = await run({ program, args, env, timeout: 60_000 });
  return new TextDecoder().decode(stdout) + stderr;
}

Deno.test("Git finds the user and password of a server in the netrc file", async () => {
  await inFolder(async (folder) => {
    await makeInfra(folder);
    await using server = serve(withToken("hunter2", gitHttp(folder)));
    const netrc = `${folder}/net rc`;
    const env = inputEnvironment({
      ...configOf({ repository: "https://forge.example/me/infra.git" }),
      "inputs.netrcFile": netrc,
    }, [["protocol.http.allow", "always"]]);
    const table: [string, boolean][] = [
      ["machine 127.0.0.1 login me password hunter2\n", true],
      ["machine 127.0.0.1\n  login me\n  password hunter2\n", true],
      ["default login me password hunter2\n", true],
      [
        "machine a login me password x\ndefault password hunter2 login me\n",
        true,
      ],
      [
        "machine 127.0.0.1 login me password hunter2\nmachine b password x\n",
        true,
      ],
      ["machine 127.0.0.1.example login me password hunter2\n", false],
      [
        "machine b login me password hunter2 machine 127.0.0.1 password x\n",
        false,
      ],
      ["machine 127.0.0.1 login me password $(touch pwned) *\n", false],
      ["", false],
    ];
    for (const [text, isLetIn] of table) {
      await Deno.writeTextFile(netrc, text);
      const url = `${server.url}/infra.git`;
      const said = await asked("git", ["ls-remote", url], env);
      assertEquals(
        said.includes("refs/heads/main"),
        isLetIn,
        `${text}: ${said}`,
      );
      assert(!said.includes("hunter2"), said);
    }
    // No password is in a variable.
    assert(!Object.values(env).join().includes("hunter2"));
  });
});

Deno.test("Nix reads the access tokens from the file that is named", async () => {
  await inFolder(async (folder) => {
    const tokens = `${folder}/tokens`;
    const netrc = `${folder}/netrc`;
    await Deno.writeTextFile(tokens, "access-tokens = github.com=hunter2\n");
    const env = inputEnvironment({
      ...configOf({ repository: "https://forge.example/me/infra.git" }),
      "inputs.accessTokensFile": tokens,
      "inputs.netrcFile": netrc,
    });
    assert(!Object.values(env).join().includes("hunter2"));
    const features = ["--extra-experimental-features", "nix-command"];
    const said = await asked("nix", [...features, "show-config"], {
      ...env,
      HOME: folder,
    });
    assertStringIncludes(said, `netrc-file = ${netrc}`);
    assertStringIncludes(said, "access-tokens = github.com=hunter2");
  });
});
