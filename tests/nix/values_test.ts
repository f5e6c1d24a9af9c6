import { assertEquals, assertStringIncludes } from "@std/assert";
import { Machine } from "../machine/machine.ts";
import { bootUnitHost } from "./unit_host.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`values of units are not tested here: ${refusal}`);

/** Values that the module takes, with all that systemd could read into them. */
const paths = [
  "/etc/odd/50%",
  "/etc/odd/%h%%n",
  "/etc/odd/ünï",
  "/etc/odd/$HOME",
  '/etc/odd/q"q',
  "/etc/odd/it's",
  "/etc/odd/#x;y",
  "/etc/odd/*",
  "/etc//odd///plain",
];
const variables: Readonly<Record<string, string>> = {
  PERCENT: "100% %p %%",
  QUOTES: `"double" 'single' \`back\``,
  DOLLAR: "$HOME ${HOME} $$",
  BACKSLASH: "a\\b \\n \\x41 c\\",
  LINES: "one\ntwo\tthree",
  LETTERS: "ünï €",
  EMPTY: "",
};
const folders = [
  "/var/lib/my state%n/",
  "/var/lib//twice/below//",
  "/var/lib/it's ünï",
  "/var/lib/50%",
];

/** What takes the place of the program: it notes what it was given. */
const notes = `cd "$STATE_DIRECTORY"
/usr/bin/env -0 >variables
pwd >folder
cp "$CREDENTIALS_DIRECTORY"/* . && echo done`;

/** A text as Nix writes it. */
const nix = (text: string) => JSON.stringify(text).replaceAll("${", "\\${");

const names = paths.map((_, i) => `file-${i}`);

const settings = (stateDirectory: string) =>
  `services.gitops = {
    enable = true;
    repository = "https://git.example.org/infra.git";
    stateDirectory = ${nix(stateDirectory)};
    tokenFile = ${nix(paths[0]!)};
    sshKeyFile = ${nix(paths[1]!)};
    credentials = {
      ${names.map((name, i) => `${name} = ${nix(paths[i]!)};`).join("\n")}
    };
    environment = {
      ${
    Object.entries(variables).map(([name, value]) => `${name} = ${nix(value)};`)
      .join("\n")
  }
    };
  };
  networking.proxy.envVars.https_proxy = "http://me:p%40ss%20@127.0.0.1:3128";
  nix.envVars.NIX_ODD = "5%";`;

/** Starts the service, which must end well. */
async function run(machine: Machine): Promise<void> {
  const { code } = await machine.run(["systemctl", "start", "gitops-sync"]);
  const log = await machine.output(
    ["journalctl", "--unit=gitops-sync", "--output=cat"],
  );
  assertEquals(code, 0, log);
  assertStringIncludes(log, "done");
}

Deno.test({
  name: "systemd gives the service each value as it was meant",
  ignore: refusal !== null,
  fn: async () => {
    await using host = await bootUnitHost();
    const { machine } = host;
    for (const path of paths) machine.write(path, `what is in ${path}`);
    machine.write("/opt/notes.sh", notes);
    machine.write(
      "/etc/systemd/system/gitops-sync.service.d/notes.conf",
      "[Service]\nExecStart=\nExecStart=/bin/sh -e /opt/notes.sh\n",
    );
    for (const folder of folders) {
      await host.install(settings(folder));
      await run(machine);
      const made = folder.replace(/\/+/g, "/").replace(/\/$/, "");
      assertEquals(machine.read(`${made}/folder`), `${made}\n`);
      for (const [i, path] of paths.entries()) {
        const text = machine.read(`${made}/${names[i]}`);
        assertEquals(text, `what is in ${path}`, path);
      }
      assertEquals(machine.read(`${made}/token`), `what is in ${paths[0]}`);
      assertEquals(machine.read(`${made}/ssh-key`), `what is in ${paths[1]}`);
      const given = (machine.read(`${made}/variables`) ?? "").split("\0");
      const expected = {
        ...variables,
        https_proxy: "http://me:p%40ss%20@127.0.0.1:3128",
        NIX_ODD: "5%",
      };
      for (const [name, value] of Object.entries(expected)) {
        const line = given.find((line) => line.startsWith(`${name}=`));
        assertEquals(line, `${name}=${value}`);
      }
    }
  },
});
