/**
 * Slots in etcd. Each host writes one key of its own, `PREFIX/slots/GROUP/ID`,
 * and holds a slot while that key is among the first N of the group by the order
 * in which they were made. Nobody can come before a key that is there, so a slot
 * that is held stays held, whatever others do; and a host needs the right to
 * write its own key alone.
 *
 * @module
 */
import { parseJson } from "../base/json.ts";
import { isRevision } from "../base/names.ts";
import { oneLine } from "../base/text.ts";
import type { Slot, SlotHolder } from "../state/slot.ts";
import { decoded, encoded, type EtcdApi } from "./etcd_api.ts";
import { listIn, objectIn, textIn } from "./http.ts";
import {
  type Given,
  type LockServer,
  LockTrouble,
  type Taken,
  type UnlockWish,
} from "./server.ts";

/** Seconds that a slot lasts without a renewal, until it is kept. */
const leaseSeconds = 60;

/** Holders that are told at most. */
const mostHolders = 1000;

/** How often a change is tried that others come in between of. */
const mostTries = 5;

/** How the slots of a group are kept. */
export interface EtcdSlots {
  /** The endpoints, for the state. */
  server: string;
  prefix: string;
  group: string;
  id: string;
  /** How many there are. */
  slots: number;
}

/** A key of a slot. */
interface Entry {
  holder: SlotHolder;
  token: string;
  /** Which change of etcd wrote it last. */
  version: string;
}

/** Slots in etcd. */
export class EtcdServer implements LockServer {
  #lease = "0";
  /** The last change of the key by this host. */
  #version = "0";

  constructor(
    private readonly api: EtcdApi,
    private readonly own: EtcdSlots,
  ) {}

  fresh({ use, since, revision }: Pick<Slot, "use" | "since" | "revision">) {
    const { server, prefix, group, id } = this.own;
    return {
      engine: "etcd" as const,
      server,
      prefix,
      group,
      id,
      token: crypto.randomUUID(),
      phase: "asked" as const,
      use,
      since,
      revision,
    };
  }

  knows({ engine }: Slot): boolean {
    // Members come and go, and the cluster is the same.
    return engine === "etcd";
  }

  isOwn({ engine, prefix, group, id }: Slot): boolean {
    return engine === "etcd" && prefix === this.own.prefix &&
      group === this.own.group && id === this.own.id;
  }

  async look(slot: Slot): Promise<Taken> {
    const { first, count } = await this.#first(this.own.slots + 1);
    const own = first.find(({ holder }) => holder.id === slot.id) ??
      await this.#read(slot);
    if (own && own.token !== slot.token) {
      return { result: "other", holder: own.holder };
    }
    const isFirst = first.slice(0, this.own.slots)
      .some(({ token }) => token === slot.token);
    const others = own ? count - 1 : count;
    return isFirst || others < this.own.slots
      ? { result: "mine" }
      : fullOf(first, slot);
  }

  async take(slot: Slot): Promise<Taken> {
    const { ID } = await this.api.call("lease/grant", {
      TTL: String(leaseSeconds),
    });
    const lease = textIn(ID);
    // A key without a lease would outlive a host that dies now.
    if (!/^[1-9]\d*$/.test(lease)) {
      throw new LockTrouble(
        "the answer to lease/grant has no lease ID: the server is not etcd",
      );
    }
    this.#lease = lease;
    const put = { ...this.#put(slot, false), lease: this.#lease };
    await this.#ifUnchanged(slot, "0", [{ request_put: put }]);
    // An answer may be lost, so what is there counts and not what was said.
    const own = await this.#read(slot);
    if (own && own.token !== slot.token) {
      return { result: "other", holder: own.holder };
    }
    if (!own) {
      return {
        result: "full",
        why: "the slot disappeared right after this host took it",
      };
    }
    this.#version = own.version;
    const { first } = await this.#first(this.own.slots);
    if (first.some(({ token }) => token === slot.token)) {
      return { result: "mine" };
    }
    // A slot that was kept before stays where it is.
    if (!own.holder.isKept) await this.giveBack(slot);
    return fullOf(first, slot);
  }

  async renew(): Promise<void> {
    try {
      await this.api.call("lease/keepalive", { ID: this.#lease });
    } catch {
      // Whether it is still there is asked before anything rests on it.
    }
  }

  async keep(slot: Slot): Promise<boolean> {
    const put = this.#put(slot, true);
    const isDone = await this.#ifUnchanged(slot, this.#version, [
      { request_put: put },
    ]);
    if (isDone) return true;
    // Perhaps this was done already, and the answer was lost.
    const own = await this.#read(slot);
    return own?.token === slot.token && own.holder.isKept &&
      own.holder.revision === slot.revision;
  }

  async giveBack(slot: Slot): Promise<Given> {
    for (let tries = 0; tries < mostTries; tries++) {
      const own = await this.#read(slot);
      if (own?.token !== slot.token) {
        return { result: "gone", ...await this.#whose(slot) };
      }
      const key = encoded(keyOf(slot));
      const isDone = await this.#ifUnchanged(slot, own.version, [
        { request_delete_range: { key } },
      ]);
      if (isDone) return { result: "given" };
    }
    throw new LockTrouble(`${keyOf(slot)} changes again and again in etcd`);
  }

  async holders(): Promise<readonly SlotHolder[]> {
    const { first } = await this.#first(mostHolders);
    return first.map(({ holder }) => holder);
  }

  async unlock(
    id: string,
    { by, at, reason }: UnlockWish,
  ): Promise<SlotHolder | undefined> {
    const slot = { prefix: this.own.prefix, group: this.own.group, id };
    for (let tries = 0; tries < mostTries; tries++) {
      const entry = await this.#read(slot);
      if (!entry) return undefined;
      const record = JSON.stringify({ by, at, reason, token: entry.token });
      const isDone = await this.#ifUnchanged(slot, entry.version, [
        { request_delete_range: { key: encoded(keyOf(slot)) } },
        {
          request_put: {
            key: encoded(keyOf(slot, "unlocked")),
            value: encoded(record),
          },
        },
      ]);
      if (isDone) return entry.holder;
    }
    throw new LockTrouble(`${keyOf(slot)} changes again and again in etcd`);
  }

  #put({ token, use, since, revision, ...slot }: Slot, isKept: boolean) {
    const value = { token, use, since, revision, isKept };
    return {
      key: encoded(keyOf(slot)),
      value: encoded(JSON.stringify(value)),
    };
  }

  /**
   * Does something where the key was not changed since a version of it; `0`:
   * where it is not there.
   */
  async #ifUnchanged(
    slot: Place,
    version: string,
    success: readonly unknown[],
  ): Promise<boolean> {
    const answer = await this.api.call("kv/txn", {
      compare: [{
        key: encoded(keyOf(slot)),
        target: "MOD",
        result: "EQUAL",
        mod_revision: version,
      }],
      success,
    });
    return answer["succeeded"] === true;
  }

  async #read(slot: Place): Promise<Entry | undefined> {
    const key = encoded(keyOf(slot));
    const [found] = listIn((await this.api.call("kv/range", { key }))["kvs"]);
    return found === undefined ? undefined : entryOf(found);
  }

  /** The first keys of the group, in the order in which they were made. */
  async #first(
    most: number,
  ): Promise<{ first: Entry[]; count: number }> {
    const key = keyOf({ ...this.own, id: "" });
    const answer = await this.api.call("kv/range", {
      key: encoded(key),
      // All that begins so: "0" comes behind "/".
      range_end: encoded(`${key.slice(0, -1)}0`),
      sort_order: "ASCEND",
      sort_target: "CREATE",
      limit: String(most),
    });
    const first = listIn(answer["kvs"]).map(entryOf);
    return { first, count: Number(textIn(answer["count"]) || first.length) };
  }

  /** Who took a slot away; nothing where that is not known or not to be read. */
  async #whose(slot: Slot): Promise<{ by?: string; reason?: string }> {
    try {
      const key = encoded(keyOf(slot, "unlocked"));
      const [found] = listIn((await this.api.call("kv/range", { key }))["kvs"]);
      const record = objectIn(parseJson(decoded(objectIn(found)["value"])));
      if (record["token"] !== slot.token) return {};
      const by = oneLine(textIn(record["by"]), 80);
      const reason = oneLine(textIn(record["reason"]), 200);
      return { ...by && { by }, ...reason && { reason } };
    } catch (error) {
      if (error instanceof LockTrouble) return {};
      throw error;
    }
  }
}

/** Where a slot is. */
type Place = Pick<Slot, "group" | "id" | "prefix">;

function keyOf(
  { prefix = "", group, id }: Place,
  kind: "slots" | "unlocked" = "slots",
): string {
  return `${prefix}/${kind}/${group}/${id}`;
}

function fullOf(first: readonly Entry[], slot: Slot): Taken {
  const holders = first.map(({ holder }) => holder)
    .filter(({ id }) => id !== slot.id);
  return { result: "full", holders };
}

/** What a key says. Whoever may write to the prefix has written it. */
function entryOf(found: unknown): Entry {
  const { key, value, mod_revision } = objectIn(found);
  const said = objectIn(parseJson(decoded(value)));
  const since = textIn(said["since"]);
  const revision = textIn(said["revision"]);
  const use = said["use"];
  return {
    token: textIn(said["token"]),
    version: textIn(mod_revision) || "0",
    holder: {
      id: oneLine(decoded(key).replace(/^.*\//, ""), 80),
      ...Number.isNaN(Date.parse(since))
        ? {}
        : { since: new Date(since).toISOString() },
      ...isRevision(revision) ? { revision } : {},
      ...use === "switch" || use === "reboot" ? { use } : {},
      isKept: said["isKept"] === true,
    },
  };
}
