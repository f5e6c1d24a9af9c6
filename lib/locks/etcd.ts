/**
 * Slots in etcd. Each host writes only its own key, `PREFIX/slots/GROUP/ID`. It
 * holds a slot while that key is among the first N of the group, ordered by
 * creation. No key can get before an existing one, so a host keeps its slot
 * whatever others do. A host needs write access only to its own key.
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
  LockError,
  type LockServer,
  type Taken,
  type UnlockWish,
} from "./server.ts";

/** Seconds until a slot expires without a renewal, before it is kept. */
const leaseSeconds = 60;

/** The limit of listed holders. */
const mostHolders = 1000;

/** How often a change is tried again after a concurrent change. */
const mostTries = 5;

/** The slots of a group in etcd. */
export interface EtcdSlots {
  /** The endpoints, for the state. */
  server: string;
  prefix: string;
  group: string;
  id: string;
  /** The number of slots. */
  slots: number;
}

/** A key of a slot. */
interface Entry {
  holder: SlotHolder;
  token: string;
  /** The revision of etcd that last wrote it. */
  version: string;
}

/** Slots in etcd. */
export class EtcdServer implements LockServer {
  #lease = "0";
  /** The revision of this host's last write. */
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
    // The members may change, but the cluster is the same.
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
    // A key without a lease would stay if the host died now.
    if (!/^[1-9]\d*$/.test(lease)) {
      throw new LockError(
        "the answer to lease/grant has no lease ID: the server is not etcd",
      );
    }
    this.#lease = lease;
    const put = { ...this.#put(slot, false), lease: this.#lease };
    await this.#ifUnchanged(slot, "0", [{ request_put: put }]);
    // An answer may get lost, so read the key back.
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
    // A slot that was kept before stays.
    if (!own.holder.isKept) await this.giveBack(slot);
    return fullOf(first, slot);
  }

  async renew(): Promise<void> {
    try {
      await this.api.call("lease/keepalive", { ID: this.#lease });
    } catch {
      // A later check finds out whether the slot still exists.
    }
  }

  async keep(slot: Slot): Promise<boolean> {
    const put = this.#put(slot, true);
    const isDone = await this.#ifUnchanged(slot, this.#version, [
      { request_put: put },
    ]);
    if (isDone) return true;
    // Perhaps the write succeeded, and only the answer got lost.
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
    throw new LockError(`others keep changing ${keyOf(slot)} in etcd`);
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
    throw new LockError(`others keep changing ${keyOf(slot)} in etcd`);
  }

  #put({ token, use, since, revision, ...slot }: Slot, isKept: boolean) {
    const value = { token, use, since, revision, isKept };
    return {
      key: encoded(keyOf(slot)),
      value: encoded(JSON.stringify(value)),
    };
  }

  /**
   * Runs a transaction if the key did not change since a version. `0` means
   * that it does not exist.
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

  /** Returns the first keys of the group, ordered by creation. */
  async #first(
    most: number,
  ): Promise<{ first: Entry[]; count: number }> {
    const key = keyOf({ ...this.own, id: "" });
    const answer = await this.api.call("kv/range", {
      key: encoded(key),
      // All keys with this prefix: "0" follows "/".
      range_end: encoded(`${key.slice(0, -1)}0`),
      sort_order: "ASCEND",
      sort_target: "CREATE",
      limit: String(most),
    });
    const first = listIn(answer["kvs"]).map(entryOf);
    return { first, count: Number(textIn(answer["count"]) || first.length) };
  }

  /** Returns who freed a slot, if that is known and readable. */
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
      if (error instanceof LockError) return {};
      throw error;
    }
  }
}

/** The place of a slot. */
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

/** Reads a key. Anyone who may write to the prefix may have written it. */
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
