/**
 * The options of locks (docs/fleet.md): a part of the list in schema.ts.
 *
 * @module
 */
import { path, positive, text } from "./kinds.ts";
import {
  etcdPrefix,
  groupName,
  lockServer,
  lockServers,
} from "./lock_kinds.ts";
import type { Option } from "./option.ts";

/** The options, in the order of the documentation. */
export const lockOptions = {
  "lock.group": {
    kind: groupName,
    preset: "default",
    text:
      "The group of hosts that share the slots. All hosts of one group need the same `lock` options.",
  } as Option<string>,
  "lock.id": {
    kind: groupName,
    presetText: "`host`",
    text:
      "The name of this host in its group. Two machines with the same name share a slot, so give each machine its own name.",
  } as Option<string | undefined>,
  "lock.etcd.endpoints": {
    kind: lockServers,
    preset: [],
    text:
      "The members of an etcd cluster, e.g. `[https://etcd-1.example.org:2379, https://etcd-2.example.org:2379]`. At most `lock.etcd.slots` hosts of a group then switch or reboot at the same time. The first member that answers is used.",
  } as Option<readonly string[]>,
  "lock.etcd.slots": {
    kind: positive,
    preset: 1,
    text: "How many hosts of the group may switch or reboot at the same time.",
  } as Option<number>,
  "lock.etcd.prefix": {
    kind: etcdPrefix,
    preset: "/gitops-sync",
    text:
      "The prefix of the keys in etcd. A slot is the key `PREFIX/slots/GROUP/ID`.",
  } as Option<string>,
  "lock.etcd.caFile": {
    kind: path,
    text:
      "Certificate authorities (PEM) to trust for etcd, in addition to those of Deno.",
  } as Option<string | undefined>,
  "lock.etcd.certFile": {
    kind: path,
    text:
      "The certificate (PEM) with which this host identifies itself to etcd.",
  } as Option<string | undefined>,
  "lock.etcd.keyFile": {
    kind: path,
    text:
      "The private key of `lock.etcd.certFile`, in PEM without a passphrase. If it is not set, the certificate file must also contain the key.",
  } as Option<string | undefined>,
  "lock.etcd.username": {
    kind: text,
    text:
      "The user of etcd, if its authentication is enabled. etcd's JSON gateway takes no user from a certificate.",
  } as Option<string | undefined>,
  "lock.etcd.passwordFile": {
    kind: path,
    text: "A file with the password of `lock.etcd.username`.",
  } as Option<string | undefined>,
  "lock.fleetlock.url": {
    kind: lockServer,
    text:
      "A server of the FleetLock protocol (as for Zincati), instead of etcd, e.g. `https://fleetlock.example.org`. The server decides how many hosts of a group may switch or reboot at the same time. It must answer `POST URL/v1/pre-reboot` and `URL/v1/steady-state`.",
  } as Option<string | undefined>,
  "lock.fleetlock.caFile": {
    kind: path,
    text:
      "Certificate authorities (PEM) to trust for the FleetLock server, in addition to those of Deno.",
  } as Option<string | undefined>,
} as const;
