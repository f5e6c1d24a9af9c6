/** Repositories without a flake, on a real systemd host. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { letIsolate } from "../machine/isolation.ts";
import { Machine } from "../machine/machine.ts";
import type { Settings } from "../world/host.ts";
import { makeRepository } from "../world/repository.ts";
import { system } from "./flake.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`build.file is not tested here: ${refusal}`);

const secret = "sesame-of-this-host-alone";

/** A file whose system is a folder with the text of this expression. */
function file(code: string): string {
  return `{ name ? "demo" }: {
  hosts.demo.config.system.build.toplevel = derivation {
    inherit name;
    system = "${system}";
    builder = "/bin/sh";
    args = [ "-c" "/bin/mkdir $out; printf %s \\"$text\\" > $out/text" ];
    text = ${code};
  };
}
`;
}

/** What a file may try, and what it may see of it at most. */
const attacks: Readonly<Record<string, string>> = {
  "a file of root": 'builtins.readFile "/root/secret"',
  "the state folder": 'builtins.readFile "/var/lib/gitops-sync/secret"',
  "the state folder as a source": 'toString (/var/lib/gitops-sync + "")',
  "a path that is copied": '"${/root/secret}"',
  "a download of a file":
    'builtins.readFile (builtins.fetchurl "file:///root/secret")',
  "a tree":
    'builtins.readFile (builtins.fetchTree { type = "file"; url = "file:///root/secret"; })',
  "a derivation that downloads":
    'builtins.readFile (import <nix/fetchurl.nix> { url = "file:///root/secret"; hash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; })',
  "the environment":
    'builtins.getEnv "CREDENTIALS_DIRECTORY" + builtins.getEnv "SECRET" + builtins.getEnv "NIX_PATH"',
  "the search path": "builtins.toJSON builtins.nixPath",
  "what the search path names": "toString <nixpkgs>",
  "a command": 'builtins.toString (builtins.exec [ "cat" "/root/secret" ])',
};

Deno.test({
  name: "a repository without a flake is built isolated, or not at all",
  ignore: refusal !== null,
  fn: async (t) => {
    await using machine = await Machine.boot();
    await letIsolate(machine);
    const repository = await makeRepository(`${machine.shared}/infra`);
    const publish = (text: string) =>
      repository.publish("A file", {
        files: { "nix/default.nix": text, "flake.nix": null },
      }).catch(() =>
        repository.publish("A file", { files: { "nix/default.nix": text } })
      );
    const configure = (settings: Settings = {}) =>
      machine.configure(repository, {
        directory: "nix",
        "build.file": "default.nix",
        "build.attribute": "hosts.{host}",
        // Any store path is a system then.
        operation: "build",
        ...settings,
      });
    const sync = async () => {
      const env = { SECRET: secret, NIX_PATH: `nixpkgs=/root/${secret}` };
      const { code, stdout, stderr } = await machine
        .startSync(["retry", "--json"], { env }).ended;
      const { error, system } = JSON.parse(stdout);
      const text = system ? machine.read(`${system}/text`) : null;
      return { code, reason: error?.reason, text, stderr };
    };
    await machine.output([
      "sh",
      "-c",
      `
      umask 077
      mkdir -p /var/lib/gitops-sync
      echo ${secret} > /root/secret
      echo ${secret} > /var/lib/gitops-sync/secret
    `,
    ]);
    configure();

    await t.step("exactly what was verified is built", async () => {
      await publish(file("builtins.readFile ./text + (import ../lib.nix)"));
      await repository.publish("Text", {
        files: {
          "nix/text": "one\n$Id$ ",
          "lib.nix": '"two"\n',
          // Git would change them in a work tree or an archive.
          ".gitattributes":
            "* ident eol=crlf export-subst\nnix/text export-ignore\n",
        },
      });
      const { code, text, stderr } = await sync();
      assertEquals(code, 0, stderr);
      assertEquals(text, "one\n$Id$ two");
    });

    await t.step("the whole file may be a NixOS", async () => {
      configure({ "build.attribute": "" });
      await publish(file('"whole"').replace("hosts.demo.config", "config"));
      const { code, text, stderr } = await sync();
      assertEquals([code, text], [0, "whole"], stderr);
      configure();
    });

    await t.step("options that Nix takes from root alone count", async () => {
      const features = ["--option", "system-features", "of-this-host"];
      configure({ "build.options": features });
      await publish(
        file('"by root"').replace(
          "inherit name;",
          'inherit name; requiredSystemFeatures = [ "of-this-host" ];',
        ),
      );
      const { code, text, stderr } = await sync();
      assertEquals([code, text], [0, "by root"], stderr);
      configure();
    });

    await t.step(
      "what a file does wrong is a hold, with its place",
      async () => {
        await publish(file('throw "not today"'));
        const { code, reason, stderr } = await sync();
        assertEquals([code, reason], [6, "evaluation-error"], stderr);
        assertStringIncludes(stderr, "not today");
        const held = await machine.sync();
        assertEquals(held.code, 9, held.stderr);
      },
    );

    for (const [name, code] of Object.entries(attacks)) {
      await t.step(`it can't get at ${name}`, async () => {
        await publish(file(code));
        const { text, stderr } = await sync();
        assert(!`${text}${stderr}`.includes(secret), `${text}\n${stderr}`);
        const found = await machine.run(
          ["grep", "-rls", secret, "/nix/store"],
        );
        assertEquals(found.stdout, "");
      });
    }

    await t.step("without isolation nothing is evaluated", async () => {
      await publish(file('"with all power"'));
      configure({ "build.isolate": false });
      const off = await sync();
      assertEquals([off.code, off.reason], [6, "not-isolated"], off.stderr);
      assertStringIncludes(off.stderr, "build.isolate is false");
      configure({ "build.isolate": "auto" });
      await machine.output(
        ["sed", "-i", "/^gitops-sync-eval/d", "/etc/passwd"],
      );
      const missing = await sync();
      assertEquals(missing.reason, "not-isolated", missing.stderr);
      assertStringIncludes(
        missing.stderr,
        "the user gitops-sync-eval does not exist",
      );
    });
  },
});
