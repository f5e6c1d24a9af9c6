/**
 * The configured Vault server.
 *
 * @module
 */
import { usageError } from "../base/errors.ts";
import type { LocalConfig } from "../config/config.ts";
import { type VaultServer, vaultServer } from "./http.ts";

/**
 * Returns the configured server with its CA.
 *
 * @throws {SyncError} exit 2: `vault-address`, `vault-ca`.
 */
export async function serverOf(config: LocalConfig): Promise<VaultServer> {
  const address = config["vault.address"];
  if (address === undefined) {
    throw usageError(
      "vault-address",
      "Cannot reach Vault: vault.address is not set",
      "set it, for example with --vault-address https://vault.example.com",
    );
  }
  const caFile = config["vault.caFile"];
  const ca = caFile === undefined ? undefined : await Deno.readTextFile(caFile)
    .catch((error) => {
      throw usageError(
        "vault-ca",
        `Cannot use ${caFile} for vault.caFile: ${(error as Error).message}`,
        "set vault.caFile to a file with certificates in PEM format",
      );
    });
  const readCa = caFile === undefined
    ? undefined
    : () => Deno.readTextFile(caFile);
  // Deno would silently ignore a file without certificates.
  if (ca === undefined || ca.includes("-----BEGIN CERTIFICATE-----")) {
    return vaultServer(address, config["vault.namespace"], ca, readCa);
  }
  throw usageError(
    "vault-ca",
    `Cannot use ${caFile} for vault.caFile: expected certificates in PEM`,
    "use a file with -----BEGIN CERTIFICATE----- in it",
  );
}
