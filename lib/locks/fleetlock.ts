/**
 * Slots of a FleetLock server (the protocol of Zincati). The protocol has two
 * requests: one takes a slot, the other gives it back. Both may be repeated.
 * The server identifies hosts only by their name.
 *
 * @module
 */
import { oneLine } from "../base/text.ts";
import type { Slot } from "../state/slot.ts";
import { objectIn, postJson, textIn } from "./http.ts";
import {
  type Given,
  LockError,
  type LockServer,
  type Taken,
} from "./server.ts";

/** The status if others hold all slots. */
const isFull = [409, 423];

/** The header that the protocol requires. */
const header = { "fleet-lock-protocol": "true" };

/** The access to a server. */
export interface FleetLockAccess {
  /** Without a slash at its end. */
  url: string;
  client: Deno.HttpClient;
  group: string;
  id: string;
}

/** Slots of a FleetLock server. */
export class FleetLockServer implements LockServer {
  constructor(private readonly access: FleetLockAccess) {}

  fresh({ use, since, revision }: Pick<Slot, "use" | "since" | "revision">) {
    const { url, group, id } = this.access;
    return {
      engine: "fleetlock" as const,
      server: url,
      group,
      id,
      token: crypto.randomUUID(),
      phase: "asked" as const,
      use,
      since,
      revision,
    };
  }

  knows({ engine, server }: Slot): boolean {
    return engine === "fleetlock" && server === this.access.url;
  }

  isOwn(slot: Slot): boolean {
    return this.knows(slot) && slot.group === this.access.group &&
      slot.id === this.access.id;
  }

  /** The protocol has no query that does not take a slot. */
  look(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async take(slot: Slot): Promise<Taken> {
    const { status, said } = await this.#ask("pre-reboot", slot);
    if (isGood(status)) return { result: "mine" };
    if (isFull.includes(status)) {
      return { result: "full", ...said ? { why: said } : {} };
    }
    throw this.#trouble("pre-reboot", status, said);
  }

  /** The protocol has no lease. */
  renew(): Promise<void> {
    return Promise.resolve();
  }

  /** The slot does not expire, but somebody may have freed it. */
  async keep(slot: Slot): Promise<boolean> {
    return (await this.take(slot)).result === "mine";
  }

  async giveBack(slot: Slot): Promise<Given> {
    await this.#free(slot);
    return { result: "given" };
  }

  /**
   * The protocol has no query for holders. A request that names no host is
   * refused, and shows that the server answers.
   */
  async holders(): Promise<undefined> {
    const { client, url } = this.access;
    await postJson(client, `${url}/v1/steady-state`, {}, header);
  }

  async unlock(id: string): Promise<"untold"> {
    await this.#free({ group: this.access.group, id });
    return "untold";
  }

  async #free(of: Pick<Slot, "group" | "id">): Promise<void> {
    const { status, said } = await this.#ask("steady-state", of);
    if (!isGood(status)) throw this.#trouble("steady-state", status, said);
  }

  async #ask(
    what: "pre-reboot" | "steady-state",
    { group, id }: Pick<Slot, "group" | "id">,
  ): Promise<{ status: number; said: string }> {
    const { client, url } = this.access;
    const { status, json } = await postJson(
      client,
      `${url}/v1/${what}`,
      { client_params: { id, group } },
      header,
    );
    const { kind, value } = objectIn(json);
    const said = [textIn(kind), textIn(value)].filter((text) => text !== "");
    return { status, said: oneLine(said.join(": "), 200) };
  }

  #trouble(what: string, status: number, said: string): LockError {
    return new LockError(
      `${this.access.url} refused ${what} with status ${status}${
        said ? `: ${said}` : ""
      }`,
      [
        "check the log of the FleetLock server, and lock.group and lock.id on this host",
      ],
    );
  }
}

function isGood(status: number): boolean {
  return status >= 200 && status < 300;
}
