/**
 * Servers of private inputs, to be run in the network of a machine and with the
 * files of this computer:
 *
 *     private_servers.ts FOLDER KEY TOKEN
 *
 * FOLDER holds the bare repositories and files, KEY is the public key that may
 * come in over SSH, and TOKEN the password of everything over HTTPS. Where they
 * listen is written to FOLDER/ready.json.
 *
 * @module
 */
import {
  gitHttp,
  makeAuthority,
  serve,
  startSshd,
  withToken,
} from "../git/servers.ts";

/** What FOLDER/ready.json says. */
export interface Ready {
  ssh: string;
  knownHosts: string;
  git: string;
  files: string;
}

if (import.meta.main) {
  const [folder, key, token] = Deno.args as [string, string, string];
  const authority = await makeAuthority(folder);
  const sshd = await startSshd(folder, key);
  // It is in a group of its own, which ends with nobody.
  Deno.addSignalListener("SIGTERM", async () => {
    await sshd[Symbol.asyncDispose]();
    Deno.exit();
  });
  const git = serve(withToken(token, gitHttp(folder)), authority);
  const files = serve(
    withToken(token, async ({ url }) => {
      const path = `${folder}${new URL(url).pathname}`;
      return new Response(await Deno.readFile(path));
    }),
    authority,
  );
  const ready: Ready = {
    ssh: `ssh://root@127.0.0.1:${sshd.port}`,
    knownHosts: sshd.knownHosts,
    git: git.url,
    files: files.url,
  };
  await Deno.writeTextFile(`${folder}/ready.new`, JSON.stringify(ready));
  await Deno.rename(`${folder}/ready.new`, `${folder}/ready.json`);
}
