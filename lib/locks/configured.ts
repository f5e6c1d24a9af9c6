/**
 * Opens the lock server of a configuration, with its certificates and password.
 *
 * @module
 */
import type { Config } from "../config/schema.ts";
import { readAtMost } from "../host/files.ts";
import { EtcdServer } from "./etcd.ts";
import { EtcdApi } from "./etcd_api.ts";
import { FleetLockServer } from "./fleetlock.ts";
import { LockError, type LockServer } from "./server.ts";

/** The limit of a file, in bytes. A long certificate chain is shorter. */
const longestFile = 1024 * 1024;

/** The options that define the lock server. */
export type LockConfig = Pick<
  Config,
  "host" | Extract<keyof Config, `lock.${string}`>
>;

/** A lock server, until it is disposed of. */
export interface OpenLock extends Disposable {
  server: LockServer;
}

/** Returns the name of this host in its group. */
export function lockIdOf(config: Pick<Config, "lock.id" | "host">): string {
  return config["lock.id"] ?? config.host;
}

/**
 * Opens the configured lock server. Returns `undefined` if none is configured.
 *
 * @throws {LockTrouble} if a configured file can't be used.
 */
export async function openLock(
  config: LockConfig,
): Promise<OpenLock | undefined> {
  const group = config["lock.group"];
  const id = lockIdOf(config);
  const endpoints = config["lock.etcd.endpoints"];
  const url = config["lock.fleetlock.url"];
  if (endpoints.length > 0) {
    const user = await userOf(config);
    const client = await etcdClient(config);
    const api = new EtcdApi({ endpoints, client, ...user ? { user } : {} });
    const server = new EtcdServer(api, {
      server: endpoints.join(" "),
      prefix: config["lock.etcd.prefix"],
      group,
      id,
      slots: config["lock.etcd.slots"],
    });
    return { server, [Symbol.dispose]: () => client.close() };
  }
  if (url === undefined) return undefined;
  const ca = await pemIn(
    config["lock.fleetlock.caFile"],
    "lock.fleetlock.caFile",
  );
  const client = Deno.createHttpClient(
    ca === undefined ? {} : { caCerts: [ca] },
  );
  const server = new FleetLockServer({ url, client, group, id });
  return { server, [Symbol.dispose]: () => client.close() };
}

async function userOf(
  config: LockConfig,
): Promise<{ name: string; password: string } | undefined> {
  const name = config["lock.etcd.username"];
  const path = config["lock.etcd.passwordFile"];
  if (name === undefined) return undefined;
  if (path === undefined) {
    throw new LockError(
      "lock.etcd.username is set, but lock.etcd.passwordFile is not",
      [
        "set lock.etcd.passwordFile to the file with the password of that user",
      ],
    );
  }
  const text = await textIn(path, "lock.etcd.passwordFile");
  return { name, password: text.replace(/\r?\n$/, "") };
}

async function etcdClient(config: LockConfig): Promise<Deno.HttpClient> {
  const ca = await pemIn(config["lock.etcd.caFile"], "lock.etcd.caFile");
  const path = config["lock.etcd.certFile"];
  const caCerts = ca === undefined ? {} : { caCerts: [ca] };
  if (path === undefined) return Deno.createHttpClient(caCerts);
  const cert = await pemIn(path, "lock.etcd.certFile");
  const keyPath = config["lock.etcd.keyFile"];
  const key = keyPath === undefined
    ? cert
    : await pemIn(keyPath, "lock.etcd.keyFile");
  try {
    return Deno.createHttpClient({ ...caCerts, cert: cert!, key: key! });
  } catch {
    // Deno's message may show a part of the file.
    throw new LockError(
      `the certificate ${path} can't be used with its key`,
      [
        "check that lock.etcd.keyFile is the key of lock.etcd.certFile, in PEM format and without a passphrase",
      ],
    );
  }
}

async function pemIn(
  path: string | undefined,
  option: string,
): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const text = await textIn(path, option);
  if (text.includes("-----BEGIN ")) return text;
  throw new LockError(`${path} (${option}) is not in PEM format`, [
    `convert it to PEM, which is text that begins with -----BEGIN, or set ${option} to another file`,
  ]);
}

async function textIn(path: string, option: string): Promise<string> {
  try {
    return new TextDecoder().decode(await readAtMost(path, longestFile));
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "does not exist"
      : error instanceof RangeError
      ? "is longer than 1 MiB"
      : "can't be read";
    throw new LockError(`${path} (${option}) ${why}`, [
      `check ${option} and the permissions of the file: ls -l ${path}`,
    ]);
  }
}
