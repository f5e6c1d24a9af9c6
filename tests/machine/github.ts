/**
 * A stand-in for GitHub, as far as Git and Nix ask it, to be run at the other
 * end of a machine's cable and with the files of this computer:
 *
 *     github.ts FOLDER
 *
 * FOLDER holds bare repositories as OWNER/NAME.git. The certificate of its
 * authority is FOLDER/ca.pem, which is there when it listens.
 *
 * @module
 */
import { gitHttp, makeAuthority } from "../git/servers.ts";
import { output } from "../world/program.ts";

/** The names that lead to it. */
export const names = ["github.com", "api.github.com"];

if (import.meta.main) {
  const folder = Deno.args[0]!;
  const git = gitHttp(folder);
  const keys = await Deno.makeTempDir();
  const { cert, key, file } = await makeAuthority(
    keys,
    names.map((name) => `DNS:${name}`).join(),
  );
  Deno.serve({
    hostname: "10.23.0.1",
    port: 443,
    cert,
    key,
    onListen: () => {
      Deno.copyFileSync(file, `${folder}/ca.new`);
      Deno.renameSync(`${folder}/ca.new`, `${folder}/ca.pem`);
    },
  }, (request) => ofNix(folder, request.url) ?? git(request));
}

/**
 * The revision of a repository, whatever the branch, or its files, as Nix asks
 * for them.
 */
function ofNix(folder: string, url: string): Promise<Response> | undefined {
  const { pathname } = new URL(url);
  const asked =
    /^(?:\/repos)?\/([\w-]+\/[\w-]+)\/(commits|tarball|archive)\/(.*)$/.exec(
      pathname,
    );
  if (!asked) return undefined;
  const [, name, what, ref] = asked;
  const at = ["git", `--git-dir=${folder}/${name}.git`];
  return what === "commits"
    ? commit(at)
    : tarball([...at, "archive", "--format=tar.gz", "--prefix=top/"], ref!);
}

async function commit(at: string[]): Promise<Response> {
  const of = (what: string) => output([...at, "rev-parse", what]);
  const sha = await of("HEAD");
  return Response.json({
    sha,
    commit: { tree: { sha: await of("HEAD^{tree}") } },
  });
}

async function tarball(argv: string[], ref: string): Promise<Response> {
  const [program, ...args] = [...argv, ref.replace(/\.tar\.gz$/, "")];
  const { stdout } = await new Deno.Command(program!, { args }).output();
  return new Response(stdout);
}
