/** The workflows of `templates`: what they may do, and that their shell works. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { unboundGitopsSync } from "../world/gitops_sync.ts";
import { run } from "../world/program.ts";
import { World } from "../world/world.ts";
import { Publisher } from "./setting.ts";
import { gitlabJobs, runOf, type Workflow, workflowsOf } from "./workflows.ts";

const refusal = await World.refusal();
if (refusal) console.log(`no shell of a workflow is run here: ${refusal}`);

const isThere = (program: string) =>
  run([program, "--version"]).then(({ code }) => code === 0, () => false);
const hasLint = await isThere("actionlint");
if (!hasLint) {
  console.log("actionlint is not here (./dev setup makes it with Go)");
}
const lacking: string[] = [];
for (const program of ["jq", "curl"]) {
  if (!await isThere(program)) lacking.push(program);
}
if (lacking.length > 0) {
  console.log(
    `no call of a forge is tested here: there is no ${lacking.join()}`,
  );
}

const forges = ["github", "forgejo"] as const;
const all = forges.flatMap((forge) => Object.values(workflowsOf(forge)));

Deno.test({
  name: "actionlint finds nothing in the workflows",
  ignore: !hasLint,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      // The usual label of Forgejo's runners.
      const config = `${folder}/actionlint.yaml`;
      await Deno.writeTextFile(
        config,
        "self-hosted-runner: {labels: [docker]}\n",
      );
      const { code, stdout } = await run([
        ...["actionlint", "-no-color", "-config-file", config],
        ...all.map(({ path }) => path),
      ]);
      assertEquals([code, stdout], [0, ""]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("every action is pinned by its hash", () => {
  const uses = all.flatMap(({ text }) => text.match(/uses: .*/g) ?? []);
  assert(uses.length > 5);
  for (const one of uses) {
    assert(/^uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(one), one);
  }
});

/** Whether anybody can start it with a change of theirs. */
const isOfChange = ({ on }: Workflow) => "pull_request" in on;

Deno.test("a change of a fork reaches no secret, and may write nothing", () => {
  for (const { on, text, path } of all) {
    // It would run with the secrets of the repository.
    assert(!("pull_request_target" in on), path);
    // Text of others in a shell line is code.
    const shells = text.match(/^ +run: [^]*?(?=^ +- |^ {0,4}\w|(?![^]))/gm) ??
      [];
    assert(!shells.some((shell) => shell.includes("${{")), path);
  }
  const ofChange = all.filter(isOfChange);
  assertEquals(ofChange.length, 2);
  for (const { text, path } of ofChange) {
    assert(!text.includes("secrets."), path);
  }
  const { check, comment } = workflowsOf("github");
  assertEquals(check!.permissions, { contents: "read" });
  assertEquals(comment!.permissions, {});
  for (const job of Object.values(check!.jobs)) {
    assertEquals(job.permissions, undefined);
  }
  // What may write comments runs nothing of the change.
  const steps = Object.values(comment!.jobs).flatMap(({ steps }) => steps);
  assert(!steps.some(({ uses = "" }) => uses.includes("checkout")));
  assert(!comment!.text.includes("nix "));
});

Deno.test("no job has more rights than it needs", () => {
  const github = workflowsOf("github");
  const rights = Object.values(github).flatMap((workflow) =>
    Object.entries(workflow.jobs).map(([name, job]) => [
      name,
      job.permissions ?? workflow.permissions,
    ])
  );
  assertEquals(Object.fromEntries(rights), {
    check: { contents: "read" },
    plan: { contents: "read" },
    comment: { actions: "read", "pull-requests": "write" },
    publish: { contents: "write" },
    update: { contents: "read" },
    propose: { contents: "write", "pull-requests": "write" },
  });
  for (const { text, path } of Object.values(github)) {
    const checkouts = text.match(/actions\/checkout@/g)?.length ?? 0;
    const without = text.match(/persist-credentials: false/g)?.length ?? 0;
    assertEquals(checkouts, without, path);
  }
});

/** A forge that keeps what it is asked, and has one open change. */
function forge() {
  const asked: { method: string; path: string; body: unknown; auth: string }[] =
    [];
  const comments: { id: number; body: string; user: { type: string } }[] = [];
  const pulls: Record<string, unknown>[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const path = new URL(request.url).pathname;
      const text = await request.text();
      const body = text === "" ? null : JSON.parse(text);
      const { headers, method } = request;
      const auth = headers.get("authorization") ??
        headers.get("private-token") ?? "";
      asked.push({ method, path, body, auth });
      if (path.includes("/commits/")) {
        const sha = path.split("/commits/")[1]!.split("/")[0];
        return Response.json([
          { number: 6, state: "open", head: { sha: "another" } },
          { number: 7, state: "open", head: { sha } },
        ]);
      }
      if (/(?:comments|notes)$/.test(path)) {
        if (method === "GET") return Response.json(comments);
        comments.push({ id: 41, body: body.body, user: { type: "Bot" } });
      }
      if (/(?:pulls|merge_requests)$/.test(path)) {
        if (method === "GET") return Response.json(pulls);
        pulls.push({ number: 8, iid: 8, head: { ref: body.head } });
      }
      return Response.json({});
    },
  );
  return {
    api: `http://127.0.0.1:${server.addr.port}`,
    asked,
    writes: () =>
      asked.filter(({ method }) => method !== "GET")
        .map(({ method, path }) => `${method} ${path}`),
    close: () => server.shutdown(),
  };
}

/** Runs shell as a runner does, in a folder of the world. */
async function shell(
  publisher: Publisher,
  script: string,
  cwd: string,
  env: Record<string, string>,
) {
  const { world } = publisher;
  const bin = `${world.folder}/bin`;
  await Deno.mkdir(bin, { recursive: true });
  await Deno.writeTextFile(
    `${bin}/gitops-sync`,
    `#!/bin/sh\nexec ${unboundGitopsSync.join(" ")} "$@"\n`,
    { mode: 0o755 },
  );
  const words = [
    "bash",
    "-e",
    "-o",
    "pipefail",
    "-c",
    `PATH=${bin}:$PATH\n${script}`,
  ];
  return await world.run(words, { cwd, env });
}

Deno.test({
  name: "the shell that publishes does, at each forge",
  ignore: refusal !== null,
  fn: async () => {
    await using publisher = await Publisher.make({ demo: {}, other: {} });
    const { world, repository, cache } = publisher;
    const keys = {
      CACHE_KEY: await Deno.readTextFile(`${world.folder}/cache-key`),
      COMMIT_KEY: await Deno.readTextFile(`${world.folder}/commit-key`),
    };
    const encoded = Object.fromEntries(
      Object.entries(keys).map(([name, text]) => [name, btoa(text)]),
    );
    const url = `file://${repository.bare}`;
    const usual = { CACHE: `file://${cache}`, TOKEN: "t" };
    const shells: [string, Record<string, string>][] = [
      ...forges.map((forge): [string, Record<string, string>] => [
        runOf(workflowsOf(forge)["publish"], "Publish"),
        { ...usual, ...keys, REPOSITORY: url },
      ]),
      [gitlabJobs()["publish"]!.script!.join("\n"), {
        ...usual,
        ...encoded,
        DEPLOY_TOKEN: "t",
        CI_PROJECT_URL: url.replace(/\.git$/, ""),
      }],
    ];
    for (const [at, [script, env]] of shells.entries()) {
      await repository.publish(`Change ${at}`, {
        knobs: { greeting: `hello ${at}` },
      });
      const ended = await shell(publisher, script, repository.folder, env);
      assertEquals(ended.code, 0, ended.stderr);
      const text = await publisher.git("log", "-1", "--format=%s", "deploy");
      assertStringIncludes(text, `Change ${at}`);
      const signed = await publisher.git("cat-file", "commit", "deploy");
      assertStringIncludes(signed, "gpgsig -----BEGIN SSH SIGNATURE");
      assert(await publisher.systemOf("other") !== null);
    }
  },
});

Deno.test({
  name: "the shell that plans a change shows it, at each forge",
  ignore: refusal !== null || lacking.length > 0,
  fn: async () => {
    await using publisher = await Publisher.make({ demo: {}, other: {} });
    const { repository } = publisher;
    const base = await repository.head();
    const head = await repository.publish("Change", {
      knobs: { hosts: { demo: { services: { web: "true" } }, more: {} } },
    });
    const server = forge();
    try {
      const { check: ofGithub, comment } = workflowsOf("github");
      const { check: ofForgejo } = workflowsOf("forgejo");
      const { plan: ofGitlab } = gitlabJobs();
      const ci = {
        CI_API_V4_URL: server.api,
        CI_PROJECT_ID: "3",
        CI_MERGE_REQUEST_IID: "7",
        CI_MERGE_REQUEST_DIFF_BASE_SHA: base,
        COMMENT_TOKEN: "secret",
      };
      const own = {
        API: `${server.api}/repos/a/b`,
        TOKEN: "secret",
        PULL: "7",
      };
      const shells: [string, string, Record<string, string>][] = [
        [runOf(ofGithub, "Plan"), runOf(comment, "Comment"), {
          ...own,
          BASE: base,
          HEAD: head,
          PLAN: "plan.md",
        }],
        [runOf(ofForgejo, "Plan"), runOf(ofForgejo, "Comment"), {
          ...own,
          BASE: base,
        }],
        [
          ofGitlab!.script!.join("\n"),
          // Which needs the inputs of a real flake.
          ofGitlab!.after_script!.join("\n").replace(/^ *PATH=.*$/m, ""),
          ci,
        ],
      ];
      const expected = [
        [
          "POST /repos/a/b/issues/7/comments",
          "PATCH /repos/a/b/issues/comments/41",
        ],
        [
          "PATCH /repos/a/b/issues/comments/41",
          "PATCH /repos/a/b/issues/comments/41",
        ],
        [
          "PUT /projects/3/merge_requests/7/notes/41",
          "PUT /projects/3/merge_requests/7/notes/41",
        ],
      ];
      for (const [at, [plan, comment, env]] of shells.entries()) {
        server.asked.length = 0;
        const planned = await shell(publisher, plan, repository.folder, env);
        assertEquals(planned.code, 0, planned.stderr);
        const text = await Deno.readTextFile(`${repository.folder}/plan.md`);
        assert(text.startsWith("<!-- gitops-sync plan -->\n"));
        assertStringIncludes(text, "web.service");
        assertStringIncludes(text, "`more: ");
        // That host is new; the other is compared with what there was.
        assertEquals(text.match(/so everything is new/g)?.length, 1);
        for (let i = 0; i < 2; i++) {
          const told = await shell(publisher, comment, repository.folder, env);
          assertEquals(told.code, 0, told.stderr);
        }
        assertEquals(server.writes(), expected[at]);
        const bodies = server.asked.flatMap(({ body }) => body ? [body] : []);
        for (const body of bodies) assertEquals(body, { body: text });
        assert(server.asked.every(({ auth }) => auth.includes("secret")));
        await Deno.remove(`${repository.folder}/plan.md`);
      }
    } finally {
      await server.close();
    }
  },
});

Deno.test({
  name: "the shell that updates proposes what is newer, at each forge",
  ignore: refusal !== null || lacking.length > 0,
  fn: async () => {
    await using publisher = await Publisher.make({ demo: {} });
    const { world, repository } = publisher;
    // An input that moves.
    const input = `${world.folder}/input`;
    await world.output([
      "git",
      "init",
      "--quiet",
      "--initial-branch=main",
      input,
    ]);
    const move = (text: string) =>
      world.output(
        [
          "sh",
          "-ec",
          `echo ${text} >text; git add text; git commit -qm ${text}`,
        ],
        { cwd: input },
      );
    await move("one");
    const flake = await Deno.readTextFile(`${repository.folder}/flake.nix`);
    await repository.commit("Input", {
      files: {
        "flake.nix": flake.replace(
          "outputs =",
          `inputs.dep = { url = "git+file://${input}"; flake = false; };\n  outputs =`,
        ).replace("{ self }:", "{ self, dep }:").replace(
          "(builtins.readFile ./host.json)",
          '(builtins.readFile ./host.json) // { greeting = builtins.readFile "${dep}/text"; }',
        ),
      },
    });
    const nix = ["--extra-experimental-features", "nix-command flakes"];
    await world.output(["nix", ...nix, "flake", "lock"], {
      cwd: repository.folder,
    });
    const start = await repository.publish("Lock");
    const server = forge();
    const { update: ofGithub } = workflowsOf("github");
    const { update: ofForgejo } = workflowsOf("forgejo");
    const steps = (workflow: Workflow | undefined) =>
      ["Update", "Plan", "Propose"].map((name) => runOf(workflow, name));
    const url = `file://${repository.bare}`;
    const env = {
      API: `${server.api}/repos/a/b`,
      MAIN: "main",
      OWNER: "a",
      TOKEN: "secret",
      UPDATE: ".",
      REPOSITORY: url,
      GITHUB_OUTPUT: `${world.folder}/output`,
      UPDATE_TOKEN: "secret",
      CI_API_V4_URL: server.api,
      CI_PROJECT_ID: "3",
      CI_PROJECT_URL: url.replace(/\.git$/, ""),
      CI_DEFAULT_BRANCH: "main",
    };
    // The artifact has what the checkout has.
    const github = steps(ofGithub).map((script) =>
      script.replace(/^cp .*$/m, "")
    );
    const shells = [
      [github, "POST /repos/a/b/pulls"],
      [steps(ofForgejo), "PATCH /repos/a/b/pulls/8"],
      [gitlabJobs()["update"]!.script!, "PUT /projects/3/merge_requests/8"],
    ] as const;
    try {
      for (const [[script]] of shells) {
        const same = await shell(publisher, script!, repository.folder, env);
        assertEquals(same.code, 0, same.stderr);
        assertStringIncludes(same.stdout, "no input is newer");
      }
      assertEquals(server.asked, []);
      for (const [at, [scripts, expected]] of shells.entries()) {
        await move(`newer${at}`);
        server.asked.length = 0;
        for (const script of scripts) {
          const ended = await shell(publisher, script, repository.folder, env);
          assertEquals(ended.code, 0, ended.stderr);
        }
        assertEquals(server.writes(), [expected]);
        const { body } = server.asked.at(-1)!;
        const { title, body: text = "", description = text } = body as Record<
          string,
          string
        >;
        assertEquals(title, "flake.lock: update");
        assertStringIncludes(description, "demo: the system of the folder");
        assertStringIncludes(description, "other path");
        const changed = await publisher.git(
          ...["diff", "--name-only", start, "update-flake-lock"],
        );
        assertEquals(changed, "flake.lock");
        await repository.git("reset", "--quiet", "--hard", start);
        await repository.git("clean", "--quiet", "-fd");
      }
      assertEquals(
        await Deno.readTextFile(`${world.folder}/output`),
        "changed=true\n".repeat(2),
      );
    } finally {
      await server.close();
    }
  },
});
