/** Servers of HTTPS that want to know who asks. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { inFolder } from "../folder.ts";
import { output, start } from "../world/program.ts";
import { refusedBy } from "./remote.ts";
import { freePort, makeAuthority } from "./servers.ts";

/** Answers 404 to those with a certificate, and shakes no other hand. */
const server = `
import http.server, ssl, sys
port, folder = int(sys.argv[1]), sys.argv[2]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/server.pem", folder + "/server.key")
context.load_verify_locations(folder + "/ca.pem")
context.verify_mode = ssl.CERT_REQUIRED
# After 1.3's handshake the refusal may come while the question is on its way.
context.maximum_version = ssl.TLSVersion.TLSv1_2
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(404)
    def log_message(self, *args):
        pass
listener = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
listener.socket = context.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
listener.serve_forever()
`;

/**
 * What the server says. Where it closes before the question is written, its
 * alert is lost ("Send failure: Broken pipe"), so it is asked again.
 */
async function answerTo(changes: Parameters<typeof refusedBy>[0]) {
  for (let tries = 1;; tries++) {
    const error = await refusedBy(changes);
    const isLost = error.details.some((line) => /Broken pipe/.test(line));
    if (!isLost || tries === 10) return error;
  }
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    try {
      using _ = await Deno.connect({ hostname: "127.0.0.1", port });
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  throw new Error(`nothing listens on port ${port}`);
}

Deno.test("a server that asks for a certificate gets the one that is named", async () => {
  await inFolder(async (folder) => {
    const authority = await makeAuthority(folder);
    await Deno.mkdir(`${folder}/client`);
    const [cert, key] = ["server.pem", "server.key"].map((name) =>
      `${folder}/client/${name}`
    ) as [string, string];
    await Deno.copyFile(`${folder}/server.pem`, cert);
    await Deno.copyFile(`${folder}/server.key`, key);
    await output(["sh", "-c", `cat "${cert}" "${key}" > "${folder}/both"`]);
    await makeAuthority(`${folder}/client`);
    const port = freePort();
    const python = start(["python3", "-c", server, `${port}`, folder], {
      timeout: 300_000,
    });
    const ended = python.ended.catch(() => {});
    const before = Deno.env.get("GIT_SSL_CAINFO");
    try {
      await listening(port);
      Deno.env.set("GIT_SSL_CAINFO", authority.file);
      const repository = `https://127.0.0.1:${port}/infra.git`;
      const own = { "tls.certFile": `${folder}/server.pem` };
      const none = await answerTo({ repository });
      assertEquals(
        [none.reason, none.exit],
        ["client-certificate", 3],
        none.details.join(),
      );
      assertStringIncludes(none.hints.join(), "tls.certFile");
      const other = await answerTo({
        repository,
        "tls.certFile": cert,
        "tls.keyFile": key,
      });
      assertEquals(other.reason, "client-certificate", other.details.join());
      assertStringIncludes(other.hints.join(), cert);
      // These the server knows.
      const known = [
        { ...own, "tls.keyFile": `${folder}/server.key` },
        { "tls.certFile": `${folder}/both` },
      ];
      for (const files of known) {
        const error = await answerTo({ repository, ...files });
        assertEquals(error.reason, "not-found", error.details.join());
      }
      // The key is of another certificate, or there is none.
      const wrong = [
        { ...own, "tls.keyFile": key },
        { "tls.certFile": `${folder}/none` },
      ];
      for (const files of wrong) {
        const error = await answerTo({ repository, ...files });
        assertEquals(error.reason, "client-certificate", error.details.join());
      }
    } finally {
      if (before === undefined) Deno.env.delete("GIT_SSL_CAINFO");
      else Deno.env.set("GIT_SSL_CAINFO", before);
      python.kill();
      await ended;
    }
  });
});
