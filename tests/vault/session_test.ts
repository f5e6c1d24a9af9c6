import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inFolder } from "../folder.ts";
import { exists } from "@std/fs";
import { Agent } from "./agent.ts";
import { Bao } from "./bao.ts";

const secret = "password: hunter2\n";

Deno.test("a token that ended is replaced by a new login", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    const settings = Agent.withRole(folder, await bao.makeRole());
    await using agent = await Agent.start(bao, settings);
    const file = await bao.encrypt(secret);
    assertEquals((await agent.decrypt(file)).stdout, secret);
    await bao.ask("POST", "sys/leases/revoke-prefix/auth/approle/login");
    assertEquals(await bao.tokens(), 0);
    const { stdout, stderr } = await agent.decrypt(file);
    assertEquals(stdout, secret, stderr);
    assertEquals(await bao.tokens(), 1);
  });
});

Deno.test("a token is renewed while it can be, and then made anew", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    const role = await bao.makeRole({ token_ttl: "3s", token_max_ttl: "5s" });
    await using agent = await Agent.start(bao, Agent.withRole(folder, role));
    const file = await bao.encrypt(secret);
    for (let second = 0; second < 8; second++) {
      const { stdout, stderr } = await agent.decrypt(file);
      assertEquals(stdout, secret, stderr);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    assert(await bao.tokens() <= 1, "an old token was not revoked");
    const { stderr } = await agent.stop();
    assert(/Renewed the token/.test(stderr), stderr);
    assert((stderr.match(/Logged in/g)?.length ?? 0) >= 2, stderr);
    assert(!/warning/.test(stderr), stderr);
  });
});

Deno.test("at its end the agent revokes its token and removes its socket", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    const settings = Agent.withRole(folder, await bao.makeRole());
    await using agent = await Agent.start(bao, settings);
    await agent.decrypt(await bao.encrypt(secret));
    assertEquals(await bao.tokens(), 1);
    const { code, stderr } = await agent.stop();
    assertEquals(code, 0, stderr);
    assertEquals(await bao.tokens(), 0);
    assertEquals(await exists(agent.socket), false);
  });
});

Deno.test("a wrapped secret id works once, and the second time is told", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    const { roleId } = await bao.makeRole({ secret_id_num_uses: 0 });
    const wrapped = await bao.wrapSecretId();
    const settings = {
      ...Agent.withRole(folder, { roleId, secretId: wrapped }),
      "vault.appRole.wrapped": true,
    };
    const file = await bao.encrypt(secret);
    await using first = await Agent.start(bao, settings);
    assertEquals((await first.decrypt(file)).stdout, secret);
    // It keeps what it has unwrapped for its next login.
    await bao.ask("POST", "sys/leases/revoke-prefix/auth/approle/login");
    assertEquals((await first.decrypt(file)).stdout, secret);
    await first.stop();
    await using second = await Agent.start(bao, settings);
    const { code, stderr } = await second.decrypt(file);
    assert(code !== 0);
    assertStringIncludes(stderr, "it was unwrapped before");
    // A newly wrapped one is picked up where it stands.
    await Deno.writeTextFile(`${folder}/secret-id`, await bao.wrapSecretId());
    assertEquals((await second.decrypt(file)).stdout, secret);
  });
});

Deno.test("a refused login is not tried again until its words change", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    const role = await bao.makeRole();
    const settings = Agent.withRole(folder, { ...role, secretId: "wrong" });
    await using agent = await Agent.start(bao, settings);
    const file = await bao.encrypt(secret);
    // Vault locks a role after five wrong ones.
    for (let i = 0; i < 7; i++) {
      const { code, stderr } = await agent.decrypt(file);
      assert(code !== 0);
      assertStringIncludes(stderr, "refuses the role id or the secret id");
      assert(!stderr.includes("wrong"), stderr);
    }
    await Deno.writeTextFile(`${folder}/secret-id`, role.secretId);
    const { stdout, stderr } = await agent.decrypt(file);
    assertEquals(stdout, secret, stderr);
  });
});

Deno.test("a token that may not look itself up is good for what it may do", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    const file = await bao.encrypt(secret);
    const tokenFile = `${folder}/token`;
    const token = await bao.makeToken({ no_default_policy: true });
    await Deno.writeTextFile(tokenFile, token);
    await using agent = await Agent.start(bao, {
      "vault.tokenFile": tokenFile,
    });
    const opened = await agent.decrypt(file);
    assertEquals(opened.stdout, secret, opened.stderr);
    await bao.ask("POST", "auth/token/revoke", { token });
    const over = await agent.decrypt(file);
    assert(over.code !== 0);
    assertStringIncludes(over.stderr, "has expired");
    await Deno.writeTextFile(
      tokenFile,
      await bao.makeToken({ no_default_policy: true }),
    );
    assertEquals((await agent.decrypt(file)).stdout, secret);
  });
});

Deno.test("a role whose calls are denied logs in once, and is told which policy lacks what", async () => {
  for (const token_no_default_policy of [true, false]) {
    await inFolder(async (folder) => {
      await using bao = await Bao.start();
      const role = await bao.makeRole({ token_no_default_policy });
      const settings = Agent.withRole(folder, role);
      await using agent = await Agent.start(bao, settings);
      const file = await bao.encrypt(secret);
      assertEquals((await agent.decrypt(file)).stdout, secret);
      const policy = 'path "sops/decrypt/other" { capabilities = ["update"] }';
      await bao.ask("POST", "sys/policies/acl/host", { policy });
      for (let i = 0; i < 6; i++) {
        const { code, stderr } = await agent.decrypt(file);
        assert(code !== 0);
        assertStringIncludes(stderr, "the policy host of this host lacks");
        assertStringIncludes(stderr, 'path "sops/decrypt/host"');
      }
      // A token that is over, and one that lacks a policy, are told the same by
      // a server that lets nobody look: one more login tells them apart.
      const { stderr } = await agent.stop();
      const logins = stderr.match(/Logged in/g)?.length;
      assertEquals(logins, token_no_default_policy ? 2 : 1, stderr);
    });
  }
});

Deno.test("a secret id for one login is picked up when its file is renewed", async () => {
  for (const wrapped of [false, true]) {
    await inFolder(async (folder) => {
      await using bao = await Bao.start();
      const role = await bao.makeRole({ secret_id_num_uses: 1 });
      const settings = {
        ...Agent.withRole(folder, {
          ...role,
          ...(wrapped ? { secretId: await bao.wrapSecretId() } : {}),
        }),
        "vault.appRole.wrapped": wrapped,
      };
      await using agent = await Agent.start(bao, settings);
      const file = await bao.encrypt(secret);
      assertEquals((await agent.decrypt(file)).stdout, secret);
      await bao.ask("POST", "sys/leases/revoke-prefix/auth/approle/login");
      const used = await agent.decrypt(file);
      assert(used.code !== 0);
      assertStringIncludes(used.stderr, "refuses the role id or the secret id");
      const next = wrapped
        ? await bao.wrapSecretId()
        : (await bao.makeRole({ secret_id_num_uses: 1 })).secretId;
      await Deno.writeTextFile(`${folder}/secret-id`, next);
      const { stdout, stderr } = await agent.decrypt(file);
      assertEquals(stdout, secret, stderr);
    });
  }
});

Deno.test("a token in a file is used, replaced, and never revoked", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    const tokenFile = `${folder}/token`;
    const token = await bao.makeToken();
    await Deno.writeTextFile(tokenFile, `${token}\n`);
    await using agent = await Agent.start(bao, {
      "vault.tokenFile": tokenFile,
    });
    const file = await bao.encrypt(secret);
    assertEquals((await agent.decrypt(file)).stdout, secret);
    await bao.ask("POST", "auth/token/revoke", { token });
    const over = await agent.decrypt(file);
    assert(over.code !== 0);
    assertStringIncludes(over.stderr, `refuses the token in ${tokenFile}`);
    const next = await bao.makeToken();
    await Deno.writeTextFile(tokenFile, next);
    assertEquals((await agent.decrypt(file)).stdout, secret);
    await agent.stop();
    const answer = await bao.call(
      "GET",
      "auth/token/lookup-self",
      undefined,
      undefined,
      next,
    );
    assertEquals(answer.status, 200);
  });
});

Deno.test("an agent that starts in an outage serves when it is over", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    const settings = Agent.withRole(folder, await bao.makeRole());
    const file = await bao.encrypt(secret);
    await bao.seal();
    await using agent = await Agent.start(bao, settings);
    const waiting = agent.decrypt(file);
    await bao.unseal();
    const { stdout, stderr } = await waiting;
    assertEquals(stdout, secret, stderr);
  });
});

Deno.test("what is wrong with the configuration of an agent is told", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    const tokenFile = `${folder}/token`;
    await Deno.writeTextFile(tokenFile, "s.token");
    await Deno.writeTextFile(`${folder}/not.pem`, "hello");
    await Deno.mkdir(`${folder}/open`, { mode: 0o755 });
    await Deno.mkdir(`${folder}/own`, { mode: 0o700 });
    await Deno.symlink(`${folder}/own`, `${folder}/link`);
    await Deno.symlink("/etc/passwd", `${folder}/own/planted`);
    await Deno.writeTextFile(`${folder}/own/file`, "");
    const table: [Record<string, unknown>, string][] = [
      [{}, "Cannot log in"],
      [
        { "vault.tokenFile": tokenFile, "vault.appRole.roleId": "a" },
        "Cannot log in to Vault: expected",
      ],
      [
        { "vault.appRole.secretIdFile": tokenFile },
        "Cannot log in to Vault: expected",
      ],
      [
        { "vault.tokenFile": tokenFile, "vault.caFile": "/none" },
        "vault.caFile",
      ],
      [
        { "vault.tokenFile": tokenFile, "vault.caFile": `${folder}/not.pem` },
        "expected certificates in PEM",
      ],
      [
        { "vault.tokenFile": tokenFile, "vault.address": "http://example.org" },
        "vault.address",
      ],
      [
        { "vault.tokenFile": tokenFile, "vault.socket": `${folder}/open/s` },
        "other users may enter",
      ],
      [
        { "vault.tokenFile": tokenFile, "vault.socket": `${folder}/link/s` },
        "leads through a symbolic link",
      ],
      [
        {
          "vault.tokenFile": tokenFile,
          "vault.socket": `${folder}/own/planted`,
        },
        "another file is there",
      ],
      [
        { "vault.tokenFile": tokenFile, "vault.socket": `${folder}/own/file` },
        "another file is there",
      ],
    ];
    for (const [settings, message] of table) {
      await using agent = await Agent.begin(bao, settings);
      const { code, stderr } = await agent.ended;
      assertEquals(code, 2, stderr);
      assertStringIncludes(stderr, message);
    }
    assertEquals(await Deno.readTextFile(`${folder}/own/file`), "");
  });
});

Deno.test("a second agent leaves the socket to the first, and a dead one's is taken", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    const settings = {
      ...Agent.withRole(folder, await bao.makeRole()),
      "vault.socket": `${folder}/run/agent.sock`,
    };
    const first = await Agent.begin(bao, settings);
    while (!await exists(`${folder}/run/agent.sock`)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const second = await Agent.begin(bao, settings);
    const { code, stderr } = await second.ended;
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, "another process listens there");
    await first[Symbol.asyncDispose]();
    assertEquals(await exists(`${folder}/run/agent.sock`), true);
    const third = await Agent.begin(bao, settings);
    // It gets as far as its login.
    const end = Date.now() + 20_000;
    while (await bao.tokens() < 2 && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assertEquals(await bao.tokens(), 2);
    assertEquals((await third.stop()).code, 0);
    await third[Symbol.asyncDispose]();
    await second[Symbol.asyncDispose]();
  });
});
