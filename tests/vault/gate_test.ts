import { assertEquals, assertStringIncludes } from "@std/assert";
import type { VaultSession } from "../../lib/vault/session.ts";
import { VaultGate } from "../../lib/vault/gate.ts";

/** Sends a request word for word, and reads the answer. */
async function send(port: number, host: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = "PUT /v1/transit/decrypt/key HTTP/1.1\r\n" +
    `Host: ${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  return await new Response(connection.readable).text();
}

Deno.test("a call with a malformed Host is told so, and is no bug", async () => {
  const told: string[] = [];
  const bugs: unknown[] = [];
  const gate = new VaultGate({} as VaultSession, ["transit"], 0, {
    monotonic: () => performance.now(),
    sleep: () => Promise.resolve(),
    tell: (event) => void told.push(JSON.stringify(event)),
  });
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
    onError: (error) => {
      bugs.push(error);
      return new Response("", { status: 500 });
    },
  }, (request) => gate.answer(request));
  try {
    for (const host of ["a b", "[::1", "a:99999999", "%%%", "a\u0001b"]) {
      const answer = await send(server.addr.port, host);
      assertStringIncludes(answer, "HTTP/1.1 400 ", host);
    }
    assertEquals(bugs, []);
    // A good one comes as far as its content, which is none.
    const good = await send(server.addr.port, "localhost");
    assertStringIncludes(good, "ciphertext");
  } finally {
    await server.shutdown();
  }
});
