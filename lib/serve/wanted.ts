/**
 * The file with which `serve` requests a run. A path unit of systemd starts
 * `gitops-sync.service` while the file exists, and the service removes it
 * before it queries the remote. A later push creates the file again, and
 * another run starts after the first one. So no push is lost, and a hundred
 * pushes cause one run.
 *
 * @module
 */
import { digestOf } from "../base/digest.ts";

/** How long a repeated delivery is ignored, in milliseconds. */
const pause = 60_000;

/** How many deliveries are remembered. The oldest are forgotten first. */
const most = 1_000;

/** Requests runs, and remembers deliveries. */
export class Wanted {
  /** When each delivery last requested a run, by its digest; oldest first. */
  readonly #seen = new Map<string, number>();

  constructor(
    readonly path: string,
    /** A clock in milliseconds that never jumps. */
    readonly monotonic: () => number,
  ) {}

  /**
   * Requests a run for a delivery. One pending request is enough.
   *
   * Somebody may have recorded a delivery and may send it repeatedly. So a
   * delivery that requested a run within the last minute requests no other one.
   * A later repetition by a forge is accepted.
   *
   * @returns whether a run was requested.
   * @throws {Error} if the file can't be created. The delivery then counts when
   * it is repeated.
   */
  async want(delivery: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const digest = await digestOf("SHA-256", delivery);
    const last = this.#seen.get(digest);
    if (last !== undefined && this.monotonic() - last < pause) return false;
    const options = { write: true, create: true, mode: 0o644 };
    (await Deno.open(this.path, options)).close();
    this.#remember(digest);
    return true;
  }

  #remember(digest: string): void {
    this.#seen.delete(digest);
    this.#seen.set(digest, this.monotonic());
    for (const old of this.#seen.keys()) {
      if (this.#seen.size <= most) return;
      this.#seen.delete(old);
    }
  }
}
