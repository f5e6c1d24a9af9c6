/**
 * A real etcd on loopback, with and without TLS, that can be killed, started
 * again, and cut off from its clients.
 *
 * @module
 */
import { decoded, encoded } from "../../lib/locks/etcd_api.ts";
import { has } from "../notify/programs.ts";
import {
  output,
  type Program,
  type ProgramOptions,
  start,
} from "../world/program.ts";

/** Whether there is an etcd; if not, says so. */
export const hasEtcd = await has("etcd");

/** The files that a client needs for TLS. */
export interface Certificates {
  ca: string;
  cert: string;
  key: string;
}

/** One member. Its data are in a folder that goes with it. */
export class EtcdMember implements AsyncDisposable {
  #program: Program;

  private constructor(
    readonly folder: string,
    readonly url: string,
    /** What a client needs, with TLS. */
    readonly certificates: Certificates | undefined,
    private readonly argv: readonly string[],
    private readonly options: ProgramOptions,
  ) {
    this.#program = start(argv, options);
  }

  /**
   * Starts a member; with `tls` it asks for a client's certificate.
   *
   * @param options `timeout`: it is killed after so many milliseconds.
   */
  static async start(
    { tls = false, ...options }: { tls?: boolean; timeout?: number } = {},
  ): Promise<EtcdMember> {
    const folder = await Deno.makeTempDir({ prefix: "gitops-sync-etcd-" });
    const certificates = tls ? await certify(folder) : undefined;
    const [port, peer] = freePorts(2);
    const url = `${tls ? "https" : "http"}://127.0.0.1:${port}`;
    const member = new EtcdMember(folder, url, certificates, [
      "etcd",
      ...["--data-dir", `${folder}/data`, "--log-level", "error"],
      ...["--listen-client-urls", url, "--advertise-client-urls", url],
      ...["--listen-peer-urls", `http://127.0.0.1:${peer}`],
      // What was written survives a kill of the process all the same.
      "--unsafe-no-fsync",
      ...tls
        ? [
          "--client-cert-auth",
          ...["--trusted-ca-file", `${folder}/ca.pem`],
          ...["--cert-file", `${folder}/server.pem`],
          ...["--key-file", `${folder}/server.key`],
        ]
        : [],
    ], options);
    await member.ready();
    return member;
  }

  /** Waits until it answers. */
  async ready(): Promise<void> {
    let ended: string | undefined;
    this.#program.ended.then((end) => ended = end.stderr, () => ended = "");
    for (;;) {
      try {
        await this.call("kv/range", { key: encoded("ready") });
        return;
      } catch (error) {
        // It answers, and wants to know who asks.
        if ((error as Error).message.includes("user name is empty")) return;
        if (ended !== undefined) throw new Error(`etcd has ended: ${ended}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** Its process. */
  get pid(): number {
    return this.#program.pid;
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    this.#program.kill();
    await this.#program.ended;
  }

  /** Starts it again, with what it had. */
  async restart(): Promise<void> {
    this.#program = start(this.argv, this.options);
    await this.ready();
  }

  /** Stops it without ending it: it takes connections and never answers. */
  async freeze(): Promise<void> {
    this.#program.signal("SIGSTOP");
    // On a busy machine some of its threads go on for a moment.
    const tasks = `/proc/${this.pid}/task`;
    const isAtWork = (task: string) =>
      !/\) T /.test(Deno.readTextFileSync(`${tasks}/${task}/stat`));
    while ([...Deno.readDirSync(tasks)].some(({ name }) => isAtWork(name))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Lets it go on. */
  thaw(): void {
    this.#program.signal("SIGCONT");
  }

  /** One call of its JSON gateway. */
  async call(
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
    // deno-lint-ignore no-explicit-any
  ): Promise<any> {
    using client = this.client();
    const response = await fetch(`${this.url}/v3/${path}`, {
      client,
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    const json = await response.json();
    if (!response.ok) throw new Error(JSON.stringify(json));
    return json;
  }

  client(): Deno.HttpClient {
    if (!this.certificates) return Deno.createHttpClient({});
    const { ca, cert, key } = this.certificates;
    return Deno.createHttpClient({
      caCerts: [Deno.readTextFileSync(ca)],
      cert: Deno.readTextFileSync(cert),
      key: Deno.readTextFileSync(key),
    });
  }

  /** All slots: the end of the key, and the lease. */
  async slots(): Promise<{ key: string; lease: string; value: string }[]> {
    const { kvs = [] } = await this.call("kv/range", {
      key: encoded("/gitops-sync/slots/"),
      range_end: encoded("/gitops-sync/slots0"),
    });
    return kvs.map(
      ({ key, lease = "0", value }: Record<string, string>) => ({
        key: decoded(key).replace("/gitops-sync/slots/", ""),
        lease,
        value: decoded(value),
      }),
    );
  }

  /** Writes a slot that lasts, as a host would that is gone for good. */
  async occupy(id: string, group = "default"): Promise<void> {
    const value = {
      token: `of-${id}`,
      use: "switch",
      since: "2026-01-01T00:00:00.000Z",
      revision: "0123456789abcdef0123456789abcdef01234567",
      isKept: true,
    };
    await this.call("kv/put", {
      key: encoded(`/gitops-sync/slots/${group}/${id}`),
      value: encoded(JSON.stringify(value)),
    });
  }

  /** Takes a slot away. */
  async free(id: string, group = "default"): Promise<void> {
    await this.call("kv/deleterange", {
      key: encoded(`/gitops-sync/slots/${group}/${id}`),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    await this.kill().catch(() => {});
    await Deno.remove(this.folder, { recursive: true });
  }
}

/**
 * An authority, a server and a client. The gateway shows etcd the server's
 * certificate as that of a client, so it is good for both.
 */
async function certify(folder: string): Promise<Certificates> {
  const at = (name: string) => `${folder}/${name}`;
  const newKey =
    "req -x509 -noenc -days 2 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
      .split(" ");
  await output([
    "openssl",
    ...newKey,
    ...["-subj", "/CN=Authority", "-keyout", at("ca.key")],
    ...["-out", at("ca.pem")],
  ]);
  for (const name of ["server", "client"]) {
    await output([
      "openssl",
      ...newKey,
      ...["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-subj", `/CN=${name}`],
      ...["-addext", "subjectAltName=IP:127.0.0.1"],
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-addext", "extendedKeyUsage=serverAuth,clientAuth"],
      ...["-keyout", at(`${name}.key`), "-out", at(`${name}.pem`)],
    ]);
  }
  return { ca: at("ca.pem"), cert: at("client.pem"), key: at("client.key") };
}

/** Loopback ports that were free a moment ago, each another one. */
export function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const ports = listeners.map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}
