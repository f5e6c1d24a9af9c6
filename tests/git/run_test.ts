/** Whole runs of the program with real remotes. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { commitText, git, importInto, makeBare } from "./remote.ts";
import { unboundGitopsSync } from "../world/gitops_sync.ts";
import { makeRepository, type Repository } from "../world/repository.ts";
import { World } from "../world/world.ts";
import { gitHttp, makeAuthority, makeKey, serve } from "./servers.ts";
import { sshdRefusal, startSshd, withToken } from "./servers.ts";

const refusal = await World.refusal();
if (refusal) console.log(`whole runs are not tested here: ${refusal}`);

/** A test with a world and a repository with one commit, `first`. */
function test(
  name: string,
  body: (
    place: { world: World; repository: Repository; first: string },
  ) => Promise<void>,
  ignore = false,
) {
  Deno.test({
    name,
    ignore: refusal !== null || ignore,
    fn: async () => {
      await using world = await World.make();
      const repository = await makeRepository(`${world.folder}/srv/infra`);
      const first = await repository.publish("The first system");
      await body({ world, repository, first });
    },
  });
}

const token = "hunter2-hunter2";

/** All that lies below a folder, with the names of the files. */
function* filesBelow(folder: string): Generator<[string, string]> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* filesBelow(path);
    if (!entry.isFile) continue;
    yield [path, new TextDecoder("latin1").decode(Deno.readFileSync(path))];
  }
}

test("a token is in no argument, variable, file, log or output", async ({ world, repository, first }) => {
  const authority = await makeAuthority(world.folder);
  const handler = withToken(token, gitHttp(`${world.folder}/srv`));
  await using server = serve(handler, authority);
  world.configure(repository, {
    repository: `${server.url}/infra.git`,
    tokenFile: "/etc/gitops-sync/token",
  });
  world.write("/etc/gitops-sync/token", `${token}\n`);
  const trace = `${world.folder}/trace`;
  const options = ["-f", "-v", "-qq", "-s", "100000", "-e", "trace=execve"];
  const traced = ["strace", ...options, "-o", trace, ...unboundGitopsSync];
  const env = { GIT_SSL_CAINFO: authority.file };
  const told: string[] = [];
  // A deployment, a run that has nothing to do, and the shortcut of one.
  for (const args of [["sync", "--verbose"], [], []]) {
    const ended = await world.run([...traced, ...args], { env });
    assertEquals(ended.code, 0, ended.stderr);
    told.push(ended.stdout, ended.stderr, Deno.readTextFileSync(trace));
    assertStringIncludes(told.at(-1)!, "git-remote-https");
  }
  assertEquals(world.state()?.lastGood?.revision, first);
  assertEquals(new Set(server.offered), new Set([`git:${token}`]));
  const encoded = btoa(`git:${token}`);
  for (const word of [token, encoded]) {
    assert(!told.some((text) => text.includes(word)));
    for (const folder of ["var/lib/gitops-sync", "home", "cache", "run"]) {
      for (const [path, text] of filesBelow(`${world.folder}/${folder}`)) {
        assert(!text.includes(word), path);
      }
    }
  }
});

test("a remote that refuses leaves the host as it is, and says what to do", async ({ world, repository, first }) => {
  world.configure(repository);
  assertEquals((await world.sync()).code, 0);
  const running = world.running();
  await using server = serve(withToken(token, gitHttp(`${world.folder}/srv`)));
  await using page = serve(() => new Response("<html>"));
  const table: [string, string, string, string][] = [
    ["expired", server.url, "denied", "has not expired"],
    ["", server.url, "denied", "/etc/gitops-sync/token (tokenFile) is empty"],
    [token, page.url, "not-git", "login page"],
  ];
  for (const [text, url, reason, hint] of table) {
    world.configure(repository, {
      repository: `${url}/infra.git`,
      tokenFile: "/etc/gitops-sync/token",
    });
    world.write("/etc/gitops-sync/token", text);
    const { code, stderr, stdout } = await world.sync("sync", "--json");
    assertEquals(code, 3, stderr);
    const { error } = JSON.parse(stdout);
    assertEquals(error.reason, reason);
    assertStringIncludes(error.hints.join(), hint);
    assertStringIncludes(stderr, hint);
    assertEquals(world.state()?.last?.reason, reason);
    assertEquals(world.state()?.lastGood?.revision, first);
    assertEquals(world.running(), running);
  }
});

test("a token in the URL is refused and shown nowhere", async ({ world, repository }) => {
  world.configure(repository, {
    repository: `https://${token}@example.org/infra.git`,
  });
  const { code, stdout, stderr } = await world.sync("--verbose");
  assertEquals(code, 2);
  assertStringIncludes(stderr, "tokenFile");
  assert(!`${stdout}${stderr}`.includes(token));
});

test(
  "a host follows a repository by SSH in the scp form, at the usual port",
  async ({ world, repository, first }) => {
    const keys = `${world.folder}/etc/gitops-sync/my keys`;
    await Deno.mkdir(keys);
    const authorized = await makeKey(`${keys}/deploy`);
    await Deno.writeTextFile(`${keys}/authorized`, authorized);
    const host = await makeKey(`${keys}/host`);
    await Deno.writeTextFile(`${keys}/known`, `127.0.0.1 ${host}`);
    world.write(
      "/etc/gitops-sync/sshd",
      [
        "ListenAddress 127.0.0.1:22",
        "PidFile none",
        "UsePAM no",
        "StrictModes no",
        `HostKey "/etc/gitops-sync/my keys/host"`,
        `AuthorizedKeysFile "/etc/gitops-sync/my keys/authorized"`,
        "",
      ].join("\n"),
    );
    world.configure(repository, {
      repository: `root@127.0.0.1:${repository.bare}`,
      sshKeyFile: "/etc/gitops-sync/my keys/deploy",
      knownHosts: "/etc/gitops-sync/my keys/known",
    });
    // A network of its own, in which the usual port is free.
    const script = "ip link set lo up && mkdir -p /run/sshd || exit; " +
      '/usr/sbin/sshd -f /etc/gitops-sync/sshd -D & "$@"; code=$?; ' +
      "kill $!; exit $code";
    const inNetwork = ["unshare", "--net", "sh", "-c", script, "sh"];
    const argv = [...inNetwork, ...unboundGitopsSync];
    // The first question may come before sshd listens, and is put again.
    const ended = await world.run(argv);
    assertEquals(ended.code, 0, ended.stderr);
    assertEquals(world.state()?.lastGood?.revision, first);
    const again = await world.run(argv);
    assertStringIncludes(again.stdout, "In sync");
  },
  await sshdRefusal() !== null,
);

test(
  "doctor names an SSH host key that is not pinned, and its hint mends it",
  async ({ world, repository }) => {
    const folder = `${world.folder}/ssh`;
    await Deno.mkdir(folder);
    const authorized = await makeKey(`${folder}/deploy`);
    await using server = await startSshd(folder, authorized);
    const other = await makeKey(`${folder}/other`);
    const known = "/etc/gitops-sync/known";
    world.configure(repository, {
      repository: `ssh://root@127.0.0.1:${server.port}${repository.bare}`,
      sshKeyFile: `${folder}/deploy`,
      knownHosts: known,
    });
    const ask = async (text: string) => {
      world.write(known, text);
      const { stdout } = await world.sync("doctor", "--json");
      const { checks } = JSON.parse(stdout);
      return checks.find((one: { name: string }) => one.name === "repository");
    };
    const pins = {
      "its SSH host key is not pinned": `elsewhere ${other}`,
      "its SSH host key is not the pinned one":
        `[127.0.0.1]:${server.port} ${other}`,
    };
    for (const [says, text] of Object.entries(pins)) {
      const { state, text: said, hints } = await ask(text);
      assertEquals(state, "problem", said);
      assertStringIncludes(said, says);
      // As a person obeys it, who has compared the keys.
      const [, scan, file] =
        /compare the output of (ssh-keyscan .*) with .* write them to (\S+)/
          .exec(hints.join("\n"))!;
      assertEquals(file, known);
      const keys = await world.output(["sh", "-c", scan!]);
      assertEquals((await ask(keys)).state, "ok");
    }
  },
  await sshdRefusal() !== null,
);

test("a host moves from a tag to a branch", async ({ world, repository, first }) => {
  await repository.git("push", "--quiet", "origin", "HEAD:refs/tags/v1");
  const second = await repository.publish("The second", {
    knobs: { greeting: "two" },
  });
  for (
    const [ref, revision] of [["v1", first], ["main", second], ["v1", first]]
  ) {
    world.configure(repository, { ref });
    const { code, stderr } = await world.sync();
    assertEquals(code, 0, stderr);
    assertEquals(world.state()?.lastGood?.revision, revision);
    assertEquals(world.state()?.seen?.ref, ref);
  }
});

/** Makes `lib.git`, with a submodule `deep` by a relative URL, and `deep.git`. */
async function makeModules(folder: string): Promise<string> {
  const [deep, lib] = [`${folder}/deep.git`, `${folder}/lib.git`];
  const inline = (path: string, text: string) =>
    `M 100644 inline ${path}\ndata <<END\n${text}\nEND`;
  await importInto(
    await makeBare(deep),
    commitText("refs/heads/main", 1, { files: inline("word", "deep") }),
  );
  const url = "\tpath = deep\n\turl = ../deep.git";
  const files = inline(".gitmodules", `[submodule "deep"]\n${url}`);
  const revision = await git(deep, "rev-parse", "main");
  await importInto(
    await makeBare(lib),
    commitText("refs/heads/main", 1, {
      files: `${files}\nM 160000 ${revision} deep`,
    }),
  );
  return await git(lib, "rev-parse", "main");
}

/** Adds the submodule `lib` and publishes a flake that reads the deep one. */
async function addModule(
  world: World,
  repository: Repository,
  url: string,
): Promise<void> {
  const lib = await makeModules(`${world.folder}/srv`);
  const flake = await Deno.readTextFile(`${repository.folder}/flake.nix`);
  await Deno.mkdir(`${repository.folder}/lib`, { recursive: true });
  await repository.git(
    ..."update-index --add --cacheinfo".split(" "),
    `160000,${lib},lib`,
  );
  await repository.publish("A submodule", {
    files: {
      ".gitmodules": `[submodule "lib"]\n\tpath = lib\n\turl = ${url}\n`,
      "flake.nix": flake.replace(
        'greeting = "hello"',
        "greeting = builtins.readFile ./lib/deep/word",
      ),
    },
  });
}

test("submodules are fetched with the token, one in the other", async ({ world, repository }) => {
  await using server = serve(withToken(token, gitHttp(`${world.folder}/srv`)));
  await addModule(world, repository, `${server.url}/lib.git`);
  world.configure(repository, {
    repository: `${server.url}/infra.git`,
    tokenFile: "/etc/gitops-sync/token",
    submodules: true,
  });
  world.write("/etc/gitops-sync/token", token);
  const { code, stderr } = await world.sync();
  assertEquals(code, 0, stderr);
  assertEquals(world.read(`${world.running()}/etc/greeting`), "deep\n\n");
});

test("a submodule by a relative URL is found from the mirror", async ({ world, repository }) => {
  await addModule(world, repository, "../lib.git");
  world.configure(repository, { submodules: true, operation: "build" });
  // Nix 2.8 looks for it beside the mirror. Later ones ask the mirror where it
  // came from, which is what is done by hand here.
  await world.sync();
  const copy = `${world.folder}/copy`;
  const update = "submodule --quiet update --init --recursive".split(" ");
  const allow = ["-c", "protocol.file.allow=always"];
  await world.output(["cp", "-r", "/var/lib/gitops-sync/repo", copy]);
  await world.output(["git", "-C", copy, "checkout", "--quiet", "HEAD", "."]);
  await world.output(["git", "-C", copy, ...allow, ...update]);
  assertEquals(world.read("copy/lib/deep/word"), "deep\n");
});

test("a repository of SHA-256 builds, or says why not", async ({ world, repository }) => {
  await makeSha256(repository);
  world.configure(repository);
  const { code, stderr } = await world.sync();
  if (code !== 0) {
    assertEquals(code, 6, stderr);
    assertStringIncludes(stderr, "this one has SHA-256 commits");
    assertEquals(world.running(), null);
  } else assertEquals(world.state()?.lastGood?.revision.length, 64);
});

async function makeSha256(repository: Repository): Promise<void> {
  const { folder, bare } = repository;
  await Deno.remove(`${folder}/.git`, { recursive: true });
  await Deno.remove(bare, { recursive: true });
  await makeBare(bare, "--object-format=sha256");
  await git(folder, "init", "--quiet", "--object-format=sha256", "-b", "main");
  await repository.git("remote", "add", "origin", bare);
  await repository.publish("Longer hashes");
}
