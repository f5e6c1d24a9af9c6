import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inFolder, modeOf } from "../folder.ts";
import { exists } from "@std/fs";
import { Agent } from "./agent.ts";
import { Bao } from "./bao.ts";

const secret = "password: hunter2\n";

/** Every sops that is here: the one of ./dev, and newer ones beside it. */
async function everySops(): Promise<string[]> {
  const newer = Deno.env.get("GITOPS_SYNC_SOPS_NEWER") ??
    `${
      Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`
    }/gitops-sync-dev/tools/sops-3.13.2/sops`;
  return await exists(newer) ? ["sops", newer] : ["sops"];
}

Deno.test("real sops decrypts through the socket with no token at all", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    const settings = Agent.withRole(folder, await bao.makeRole());
    await using agent = await Agent.start(bao, settings);
    const file = await bao.encrypt(secret);
    for (const sops of await everySops()) {
      const { code, stdout, stderr } = await agent.decrypt(file, sops);
      assertEquals([code, stdout], [0, secret], stderr);
    }
    assertEquals(modeOf(agent.socket), 0o600);
    assertEquals(modeOf(`${agent.folder}/run`), 0o700);
    // Whatever server a file names, the configured one alone is asked.
    using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const named = `http://127.0.0.1:${other.addr.port}`;
    const asked = other.accept().then(() => true).catch(() => false);
    const foreign = file.replace(bao.address, named);
    assert(foreign.includes(named), "the file names no server");
    for (const sops of await everySops()) {
      const { code, stdout, stderr } = await agent.decrypt(foreign, sops);
      assertEquals([code, stdout], [0, secret], stderr);
    }
    other.close();
    assertEquals(await asked, false, "the server of the file was asked");
  });
});

Deno.test("many calls at once share one login", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    const settings = Agent.withRole(folder, await bao.makeRole());
    const file = await bao.encrypt(secret);
    await using agent = await Agent.start(bao, settings);
    const all = await Promise.all(
      Array.from({ length: 12 }, () => agent.decrypt(file)),
    );
    for (const { stdout, stderr } of all) assertEquals(stdout, secret, stderr);
    const { stderr } = await agent.stop();
    assertEquals(stderr.match(/Logged in/g)?.length, 1, stderr);
  });
});

Deno.test("no token is in the environment, the arguments or the log", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    const role = await bao.makeRole();
    await using agent = await Agent.start(bao, Agent.withRole(folder, role));
    const file = await bao.encrypt(secret);
    assertEquals((await agent.decrypt(file)).code, 0);
    const seen = ["cmdline", "environ"].map((name) =>
      Deno.readTextFileSync(`/proc/${agent.pid}/${name}`)
    );
    await agent.call("/v1/auth/token/lookup-self");
    const { stdout, stderr, code } = await agent.stop();
    assertEquals(code, 0);
    assertStringIncludes(stderr, "Decrypted with sops/host");
    for (const text of [...seen, stdout, stderr]) {
      assert(!text.includes(role.secretId), "the secret id was shown");
      // Tokens of OpenBao begin with s. or hvs.
      assert(!/\b(hvs|s)\.[A-Za-z0-9]{20,}/.test(text), text);
      assert(!text.includes("hunter2"), text);
    }
  });
});

Deno.test("all but decrypt calls of the allowed engines is refused", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    await bao.ask("POST", "sys/mounts/other", { type: "transit" });
    await bao.ask("POST", "other/keys/host", {});
    const token = `${folder}/token`;
    // Root's rights: what is refused, the agent refuses.
    await Deno.writeTextFile(
      token,
      await bao.makeToken({ policies: ["root"] }),
    );
    await using agent = await Agent.start(bao, { "vault.tokenFile": token });
    const table: [string, string][] = [
      ["GET", "/v1/sops/decrypt/host"],
      ["PUT", "/v1/sops/encrypt/host"],
      ["GET", "/v1/sops/keys/host"],
      ["PUT", "/v1/other/decrypt/host"],
      ["GET", "/v1/auth/token/lookup-self"],
      ["POST", "/v1/auth/token/create"],
      ["POST", "/v1/sys/seal"],
      ["GET", "/v1/sys/health"],
      ["PUT", "/v1/sops/decrypt/host?list=true"],
      ["PUT", "/v1/sops/decrypt/../keys/host"],
      ["PUT", "/v1/sops/decrypt/..%2f..%2fsys%2fseal"],
      ["PUT", "/v1/sops/decrypt/host/../../../sys/seal"],
      ["PUT", "/v1//sops/decrypt/host"],
      ["PUT", "/"],
    ];
    for (const [method, path] of table) {
      const body = method === "GET" ? {} : { body: "{}" };
      const answer = await agent.call(path, { method, ...body });
      assertEquals(answer.status, 403, `${method} ${path}`);
      assertStringIncludes(await answer.text(), "vault.engines");
    }
    for (
      const body of ["", "{}", "[]", '{"ciphertext": 5}', "x".repeat(100_000)]
    ) {
      const path = "/v1/sops/decrypt/host";
      const answer = await agent.call(path, { method: "PUT", body });
      assertEquals(answer.status, 400, body.slice(0, 20));
    }
    assertEquals((await bao.call("GET", "sys/health")).status, 200);
  });
});

Deno.test("what a wrong ciphertext is answered with is not echoed", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    const settings = Agent.withRole(folder, await bao.makeRole());
    await using agent = await Agent.start(bao, settings);
    const call = (path: string) =>
      agent.call(path, {
        method: "PUT",
        body: JSON.stringify({ ciphertext: "vault:v1:hunter2" }),
      });
    const wrong = await call("/v1/sops/decrypt/host");
    assertEquals(wrong.status, 400);
    assertEquals(await wrong.json(), {
      errors: [
        `Cannot decrypt with sops/host: Vault at ${bao.address} rejects the request as invalid`,
      ],
    });
    const denied = await call("/v1/transit/decrypt/host");
    assertEquals(denied.status, 403);
    assertStringIncludes(
      await denied.text(),
      'path \\"transit/decrypt/host\\" { capabilities = [\\"update\\"] }',
    );
  });
});

Deno.test("a sealed server and one that is gone are told apart", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    await using agent = await Agent.start(bao, {
      ...Agent.withRole(folder, await bao.makeRole()),
      "timeouts.vault": "2s",
    });
    const file = await bao.encrypt(secret);
    await bao.seal();
    const sealed = await agent.decrypt(file);
    assert(sealed.code !== 0);
    assertStringIncludes(sealed.stderr, "is sealed");
    await bao.stop();
    // Calls shortly after an outage are answered with it, at once.
    const still = await agent.decrypt(file);
    assertStringIncludes(still.stderr, "is sealed");
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const gone = await agent.decrypt(file);
    assert(gone.code !== 0);
    assertStringIncludes(gone.stderr, "can't be reached");
    assertStringIncludes(gone.stderr, "refused");
    // The agent tells the same, once for each outage or call.
    const { stderr, code } = await agent.stop();
    assertEquals(code, 0);
    assertStringIncludes(stderr, "is sealed");
    assertStringIncludes(stderr, "can't be reached");
  });
});

Deno.test("a server that asks for patience gets it", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    const settings = Agent.withRole(folder, await bao.makeRole());
    await using agent = await Agent.start(bao, settings);
    const file = await bao.encrypt(secret);
    await bao.ask("POST", "sys/quotas/rate-limit/slow", {
      path: "sops/",
      rate: 1,
      interval: "1s",
    });
    const all = await Promise.all([1, 2, 3].map(() => agent.decrypt(file)));
    for (const { stdout, stderr } of all) assertEquals(stdout, secret, stderr);
  });
});

Deno.test("certificate and namespace are those of the configuration", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start({ tls: true });
    await bao.ask("POST", "sys/namespaces/team", {});
    await bao.prepare("team");
    const role = await bao.makeRole({}, "team");
    const file = await bao.encrypt(secret, "team");
    const settings = Agent.withRole(folder, role);
    await using agent = await Agent.start(bao, {
      ...settings,
      "vault.namespace": "team",
      "vault.caFile": bao.caFile,
    });
    const { stdout, stderr } = await agent.decrypt(file);
    assertEquals(stdout, secret, stderr);
    await using distrustful = await Agent.start(bao, settings);
    const refused = await distrustful.decrypt(file);
    assert(refused.code !== 0);
    assertStringIncludes(refused.stderr, "is not trusted");
  });
});

Deno.test("a CA that changes is read again, and no restart is needed", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start({ tls: true });
    const file = await bao.encrypt(secret);
    const caFile = `${folder}/ca.pem`;
    await using other = await Bao.start({ tls: true, prepared: false });
    // As before the server got its new certificate.
    await Deno.copyFile(other.caFile!, caFile);
    await using agent = await Agent.start(bao, {
      ...Agent.withRole(folder, await bao.makeRole()),
      "vault.caFile": caFile,
    });
    const before = await agent.decrypt(file);
    assert(before.code !== 0);
    assertStringIncludes(before.stderr, "is not trusted");
    await Deno.copyFile(bao.caFile!, caFile);
    const { stdout, stderr } = await agent.decrypt(file);
    assertEquals(stdout, secret, stderr);
  });
});
