import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Effects } from "../../lib/base/effects.ts";
import { SyncError } from "../../lib/base/errors.ts";
import { run } from "../../lib/process/run_command.ts";
import type { RemoteConfig } from "../../lib/git/git.ts";
import { askRemote } from "../../lib/git/remote.ts";
import { remoteFailure } from "../../lib/git/failure.ts";

const config = (changes: Partial<RemoteConfig> = {}) => ({
  repository: "https://example.org/infra.git",
  sshKeyFile: undefined,
  knownHosts: undefined,
  tokenFile: undefined,
  username: "git",
  ref: "main",
  "timeouts.remote": 30_000,
  ...changes,
});

const effects: Effects = {
  run,
  now: () => new Date(),
  monotonic: () => performance.now(),
  sleep: () => Promise.resolve(),
  tell: () => {},
};

/** Has the real Git ask a remote that does not answer well. */
async function asked(changes: Parameters<typeof config>[0]) {
  const error = await assertRejects(
    () => askRemote(effects, config(changes)),
    SyncError,
  ) as SyncError;
  assertEquals([error.stage, error.exit, error.next], ["decide", 3, "retry"]);
  return error;
}

/** Runs `work` with the URL of a server on loopback that answers so. */
async function served(
  answer: () => Response,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    answer,
  );
  try {
    await work(`http://127.0.0.1:${server.addr.port}/infra.git`);
  } finally {
    await server.shutdown();
  }
}

Deno.test("what a server of HTTP answers becomes a reason", async () => {
  const table: [number, string][] = [
    [401, "denied"],
    [403, "denied"],
    [404, "not-found"],
    [429, "slow-down"],
    [500, "unreachable"],
    [503, "unreachable"],
  ];
  for (const [status, reason] of table) {
    await served(
      () =>
        new Response("no", {
          status,
          headers: status === 401 ? { "www-authenticate": "Basic" } : {},
        }),
      async (repository) => {
        const error = await asked({ repository });
        assertEquals(error.reason, reason, String(status));
        assert(error.details.length > 0);
        assert(error.hints.length > 0);
      },
    );
  }
});

Deno.test("a token that is refused is named by its file and never shown", async () => {
  const tokenFile = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(tokenFile, "hunter2\n");
    await served(
      () =>
        new Response("", {
          status: 401,
          headers: { "www-authenticate": "Basic" },
        }),
      async (repository) => {
        const error = await asked({ repository, tokenFile });
        assertEquals(error.reason, "denied");
        assertEquals(error.hints, [
          `check that the token in ${tokenFile} may read the repository and has not expired`,
        ]);
        assert(!Deno.inspect(error).includes("hunter2"));
      },
    );
  } finally {
    await Deno.remove(tokenFile);
  }
});

Deno.test("a page that is no repository is told as such", async () => {
  await served(
    () =>
      new Response("<html>\n<body>\n", {
        headers: { "content-type": "text/html" },
      }),
    async (repository) => {
      assertEquals((await asked({ repository })).reason, "not-git");
    },
  );
});

Deno.test("a server that hangs up, and one that is not there, are unreachable", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const repository = `http://127.0.0.1:${listener.addr.port}/certificates.git`;
  const hangUp = (async () => {
    for await (const connection of listener) connection.close();
  })();
  assertEquals((await asked({ repository })).reason, "unreachable");
  listener.close();
  await hangUp;
  // The words of the URL say nothing of the failure.
  const error = await asked({ repository });
  assertEquals(error.reason, "unreachable");
  assertEquals(
    error.message,
    `Cannot reach ${repository}: Git could not connect`,
  );
});

Deno.test("a server that says nothing is given up on in time", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const held: Deno.Conn[] = [];
  const hold = (async () => {
    for await (const connection of listener) held.push(connection);
  })();
  const repository = `http://127.0.0.1:${listener.addr.port}/infra.git`;
  const error = await assertRejects(
    () =>
      askRemote(effects, { ...config({ repository }), "timeouts.remote": 500 }),
    SyncError,
  ) as SyncError;
  listener.close();
  await hold;
  held.forEach((connection) => connection.close());
  assertEquals(error.reason, "unreachable");
  assertEquals(
    error.message,
    `Cannot reach ${repository}: it did not answer in time`,
  );
});

Deno.test("a folder that is missing or no repository is not found", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const path of [folder, `${folder}/none`, `${folder}/timed%20out`]) {
      const error = await asked({ repository: `file://${path}` });
      assertEquals(error.reason, "not-found", path);
    }
  } finally {
    await Deno.remove(folder);
  }
});

// As Git 2.39, GnuTLS's libcurl 7.88 and OpenSSH 9.2 wrote them, and, marked
// so, as documented for others.
const captured: readonly [string, string][] = [
  [
    "host-key",
    "No ED25519 host key is known for [127.0.0.1]:22789 and you have requested strict checking.\nHost key verification failed.\nfatal: Could not read from remote repository.",
  ],
  [
    "host-key",
    "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key for [127.0.0.1]:22789 has changed and you have requested strict checking.\nHost key verification failed.\nfatal: Could not read from remote repository.",
  ],
  [
    "denied",
    "root@127.0.0.1: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.",
  ],
  [
    "too-large",
    "fatal: attempting to allocate 3221225593 over limit 1073741824\nfatal: fetch-pack: invalid index-pack output",
  ],
  [
    "too-large",
    "fatal: Out of memory, malloc failed (tried to allocate 1099511627777 bytes)",
  ],
  [
    // It is the server that has too little.
    "git-failed",
    "remote: fatal: Out of memory, malloc failed (tried to allocate 4096 bytes)\nfatal: protocol problem",
  ],
  [
    "not-found",
    "fatal: '/nope' does not appear to be a git repository\nfatal: Could not read from remote repository.",
  ],
  [
    "unreachable",
    "ssh: connect to host 127.0.0.1 port 1: Connection refused\nfatal: Could not read from remote repository.",
  ],
  [
    "unreachable",
    "ssh: Could not resolve hostname nowhere.invalid: Name or service not known\nfatal: Could not read from remote repository.",
  ],
  [
    "certificate",
    "fatal: unable to access 'https://127.0.0.1:22790/x/': server certificate verification failed. CAfile: /etc/ssl/certs/ca-certificates.crt CRLfile: none",
  ],
  [
    "certificate",
    "fatal: unable to access 'https://127.0.0.1:22790/x/': Problem with the SSL CA cert (path? access rights?)",
  ],
  [
    "certificate",
    "fatal: unable to access 'https://localhost:22790/x/': SSL: certificate subject name (127.0.0.1) does not match target host name 'localhost'",
  ],
  // OpenSSL's libcurl.
  [
    "certificate",
    "fatal: unable to access 'https://example.org/x/': SSL certificate problem: self-signed certificate",
  ],
  [
    "unreachable",
    "fatal: unable to access 'https://127.0.0.1:1/x/': Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server",
  ],
  [
    "unreachable",
    "fatal: unable to access 'https://nowhere.invalid/x/': Could not resolve host: nowhere.invalid",
  ],
  // A host whose name is a word of another failure.
  [
    "unreachable",
    "fatal: unable to access 'https://certificate.invalid/x/': Could not resolve host: certificate.invalid",
  ],
  [
    "unreachable",
    "fatal: unable to access 'https://example.org/does-not-exist.git/': The requested URL returned error: 502",
  ],
  [
    "revision-missing",
    "fatal: remote error: upload-pack: not our ref aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  ],
  ["revision-missing", "fatal: couldn't find remote ref refs/heads/gone"],
  [
    "revision-hidden",
    "error: Server does not allow request for unadvertised object aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  ],
  // JGit.
  [
    "revision-hidden",
    "fatal: remote error: want aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa not valid",
  ],
  [
    "proxy",
    "fatal: unable to access 'https://example.org/x/': Received HTTP code 403 from proxy after CONNECT",
  ],
  [
    "proxy",
    "fatal: unable to access 'https://example.org/x/': CONNECT tunnel failed, response 407",
  ],
  [
    "not-git",
    "fatal: unable to access 'https://127.0.0.1:1/x/': gnutls_handshake() failed: An unexpected TLS packet was received.",
  ],
  [
    "not-git",
    "fatal: unable to access 'http://127.0.0.1:1/x/': Received HTTP/0.9 when not allowed",
  ],
  [
    "owner",
    "fatal: detected dubious ownership in repository at '/srv/infra.git'",
  ],
  ["git-failed", "fatal: something new"],
  ["git-failed", ""],
];

Deno.test("what Git, curl and ssh write becomes a reason", () => {
  for (const [reason, stderr] of captured) {
    const finished = {
      code: 128,
      timedOut: false,
      stdout: new Uint8Array(),
      stderr,
    };
    const error = remoteFailure(finished, config(), "fetch");
    assertEquals(error.reason, reason, stderr);
    assertEquals([error.stage, error.exit], ["fetch", 3]);
  }
});

Deno.test("the hints name what is configured, and what could be", () => {
  const finished = (stderr: string) => ({
    code: 128,
    timedOut: false,
    stdout: new Uint8Array(),
    stderr,
  });
  const table: [Partial<RemoteConfig>, string, string][] = [
    [{}, "Authentication failed", "tokenFile"],
    [{ tokenFile: "/token" }, "Authentication failed", "/token"],
    [
      { repository: "git@example.org:x" },
      "Permission denied (publickey).",
      "sshKeyFile",
    ],
    [
      { repository: "git@example.org:x", sshKeyFile: "/key" },
      "Permission denied (publickey).",
      "/key",
    ],
    [{}, "Host key verification failed.", "knownHosts"],
    [{ knownHosts: "/hosts" }, "Host key verification failed.", "/hosts"],
  ];
  for (const [changes, stderr, word] of table) {
    const { hints } = remoteFailure(finished(stderr), config(changes), "fetch");
    assert(hints.join().includes(word), `${stderr}: ${hints.join()}`);
  }
});
