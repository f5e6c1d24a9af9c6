/**
 * Settings of hosts, as the text of a module: those that are refused before
 * anything is built, and those whose units are compared word for word.
 *
 * @module
 */

const gitops = (settings: string) =>
  `services.gitops = {
    enable = true;
    repository = "https://git.example.org/infra.git";
    ${settings}
  };`;

const vault = (settings: string) =>
  `sops.vault = {
    enable = true;
    address = "https://vault.example.com";
    ${settings}
  };`;
const token = vault('tokenFile = "/etc/vault/token";');

const webhooks = 'serve.enable = true; serve.webhookSecretFile = "/a";';

/** What is refused, each with a name. */
export const refused: Readonly<Record<string, string>> = {
  "no repository": "services.gitops.enable = true;",
  "a required value taken away": gitops("settings.stateDirectory = null;"),
  "a group taken away": gitops("settings.timeouts = null;"),
  "a number for a path": gitops("settings.tokenFile = 5;"),
  "a file of the flake for a path": gitops(
    "settings.sshKeyFile = ./flake.nix;",
  ),
  "a secret in the store": gitops(
    'tokenFile = "${builtins.storeDir}/token";',
  ),

  "a netrc in the store": gitops(
    'inputs.netrcFile = "${builtins.storeDir}/netrc";',
  ),
  "access tokens in the store": gitops(
    'settings.inputs.accessTokensFile = "${builtins.storeDir}/tokens";',
  ),
  "a key of an input in the store": gitops(
    'inputs.sshKeys."ssh://git@a/b" = "${builtins.storeDir}/key";',
  ),
  "a token of a mirror in the store": gitops(
    'mirrors = [ "https://a/b" { url = "https://c/d"; tokenFile = "${builtins.storeDir}/token"; } ];',
  ),
  "a key of a mirror in the flake": gitops(
    'mirrors = [ { url = "ssh://c/d"; sshKeyFile = /etc/key; } ];',
  ),
  "an identity in the store": gitops(
    'secrets.identities = [ "${builtins.storeDir}/key" ];',
  ),
  "a token of Vault in the store": gitops(
    'vault.tokenFile = "${builtins.storeDir}/token";',
  ),

  "webhooks without a secret": gitops("serve.enable = true;"),
  "a secret of webhooks in the store": gitops(
    'serve.enable = true; serve.webhookSecretFile = "${builtins.storeDir}/secret";',
  ),
  "a secret of webhooks with a blank": gitops(
    'serve.enable = true; serve.webhookSecretFile = "/etc/my secret";',
  ),
  "a wish with a blank": gitops(
    'serve.enable = true; serve.webhookSecretFile = "/a"; serve.wanted = "/run/a b";',
  ),

  "buttons from any page": gitops(
    `${webhooks} serve.auth.passwordFile = "/etc/passwords";`,
  ),
  "buttons of two kinds": gitops(
    `${webhooks} serve.auth = { passwordFile = "/a"; header = "X-User"; origin = "https://a"; };`,
  ),
  "a header that anybody can send": gitops(
    `${webhooks} serve.listen = "0.0.0.0:80"; serve.auth = { header = "X-User"; origin = "https://a"; };`,
  ),
  "passwords in the store": gitops(
    webhooks +
      'serve.auth = { passwordFile = "${builtins.storeDir}/a"; origin = "https://a"; };',
  ),
  "passwords with a blank": gitops(
    `${webhooks} serve.auth = { passwordFile = "/a b"; origin = "https://a"; };`,
  ),

  "URLs of Apprise in the store": gitops(
    'notify.apprise.urlsFile = "${builtins.storeDir}/urls";',
  ),
  "a token of a forge with a blank": gitops(
    'commitStatus = { forge = "gitea"; tokenFile = "/etc/my token"; };',
  ),

  "a frequency that is a date": gitops('frequency = "daily";'),
  "a frequency of nothing": gitops('frequency = "0";'),
  "a frequency of no seconds": gitops('frequency = " 0.0 s";'),
  "an empty frequency": gitops('frequency = "";'),
  "a frequency in words": gitops('frequency = "every 5 minutes";'),
  "a frequency in the past": gitops('frequency = "-5m";'),
  "a frequency without end": gitops('frequency = "infinity";'),
  "a frequency of two lines": gitops('frequency = "5m\\nOnCalendar=daily";'),
  "a timeout in words": gitops('timeout = "forever";'),
  "a timeout of nothing": gitops('timeout = "0";'),
  "a delay in words": gitops('randomizedDelay = "a while";'),
  "an empty date": gitops('dates = " ";'),
  "no dates": gitops("dates = [ ];"),
  "dates and a frequency": gitops('dates = "daily"; frequency = "5m";'),

  "a credential with a blank": gitops('credentials.a = "/etc/my file";'),
  "a credential with a colon": gitops('credentials.a = "/etc/a:b";'),
  "a credential with a backslash": gitops('credentials.a = "/etc/a\\\\b";'),
  "a relative credential": gitops('credentials.a = "etc/a";'),
  "an empty credential": gitops('credentials.a = "";'),
  "a credential with dots": gitops('credentials.a = "/etc/../a";'),
  "a token with a blank": gitops('tokenFile = "/etc/my token";'),
  "a name of a credential with a percent sign": gitops(
    'credentials."50%" = "/etc/a";',
  ),
  "a name of a credential with a colon": gitops(
    'credentials."a:b" = "/etc/a";',
  ),
  "a second token": gitops('tokenFile = "/a"; credentials.token = "/b";'),
  "a second SSH key": gitops('sshKeyFile = "/a"; credentials.ssh-key = "/b";'),

  "a second key for TLS": gitops(
    'tls.keyFile = "/a"; credentials.tls-key = "/b";',
  ),
  "a second key for etcd": gitops(
    'lock.etcd.keyFile = "/a"; credentials.lock-key = "/b";',
  ),

  "a second token for gates": gitops(
    'gates.tokenFile = "/a"; credentials.gates-token = "/b";',
  ),
  "a token for Prometheus in the store": gitops(
    'gates.prometheus = [ { url = "https://p"; query = "up"; tokenFile = "${builtins.storeDir}/x"; } ];',
  ),

  "a variable with a blank in its name": gitops('environment."A B" = "c";'),
  "a variable with a control character": gitops(
    'environment.A = "\u0007";',
  ),
  "another PATH": gitops('environment.PATH = "/opt/bin";'),
  "a state folder elsewhere": gitops('stateDirectory = "/srv/state";'),
  "all state folders": gitops('stateDirectory = "/var/lib/";'),
  "a state folder with dots": gitops('stateDirectory = "/var/lib/../srv";'),
  "a state folder with a colon": gitops('stateDirectory = "/var/lib/a:b";'),
  "a state folder that is private": gitops(
    'stateDirectory = "/var/lib/private/a";',
  ),

  "autoUpgrade beside it": gitops("") + "system.autoUpgrade.enable = true;",
  "comin beside it":
    `imports = [ { options.services.comin.enable = lib.mkEnableOption "comin"; } ];
    ${gitops("")} services.comin.enable = true;`,

  "Vault without a server": "sops.vault.enable = true;" +
    'sops.vault.tokenFile = "/etc/vault/token";',
  "Vault without a login": vault(""),
  "Vault with two logins": vault(
    'tokenFile = "/a"; appRole = { roleId = "b"; secretIdFile = "/c"; };',
  ),
  "Vault without a role id": vault('appRole.secretIdFile = "/a";'),
  "Vault with two role ids": vault(
    'appRole = { roleId = "a"; roleIdFile = "/b"; secretIdFile = "/c"; };',
  ),
  "Vault with a relative token": vault('tokenFile = "token";'),
  "Vault with a token in the store": vault(
    'tokenFile = "${builtins.storeDir}/token";',
  ),
  "Vault without engines": token + "sops.vault.engines = [ ];",
  "Vault at two addresses": token +
    'services.gitops.vault.address = "https://other.example.com";',
  "Vault with engines of two sets": token +
    'sops.vault.engines = [ "a" ]; services.gitops.settings.vault.engines = [ "b" ];',
  "Vault with another socket": token +
    'services.gitops.vault.socket = "/run/other.sock";',
  "Vault alone": token + "sops.secrets.password = { };",
};

/** A host and those of its units that are looked at. */
export interface Case {
  settings: string;
  /** The names of the units and of their golden files. */
  units: Readonly<Record<string, string>>;
}

/** Hosts whose units have golden files. */
export const golden: readonly Case[] = [
  {
    settings: gitops('dates = [ "Mon..Fri 04:40" "Sat *:0/30" ];'),
    units: { "gitops-sync.timer": "dates.timer" },
  },
  {
    settings: gitops(`
      tokenFile = "/etc/50%/token";
      credentials.netrc = "/etc/nix/%h";
      stateDirectory = "/var/lib//my state%n/";
      environment.GREETING = "100% \\"it's\\" $HOME \\\\ %p";
      environment.TERM = "two\\nlines";
      onFailure = [ "tell@%n.service" ];
      timeout = "infinity";
    `) + 'networking.proxy.envVars.http_proxy = "http://me:p%40ss@proxy";' +
      'nix.envVars.NIX_OPTION = "5%";',
    units: { "gitops-sync.service": "odd.service" },
  },
  {
    settings: gitops(`
      serve = {
        enable = true;
        webhookSecretFile = "/etc/50%/webhook";
        listen = "unix:/run/gitops-sync-serve/http.sock";
        group = "nginx";
        auth = { header = "X-Remote-User"; origin = "https://web-1.example.org"; };
      };
      stateDirectory = "/var/lib/my 50%";
      tokenFile = "/etc/token";
      onFailure = [ "tell.service" ];
    `),
    units: {
      "gitops-sync-serve.service": "serve.service",
      "gitops-sync-push.path": "push.path",
      "gitops-sync-button-words.path": "button-words.path",
      "gitops-sync-button-words.service": "button-words.service",
      "gitops-sync-button-runs.service": "button-runs.service",
    },
  },
  {
    settings: gitops(`
      stateDirectory = "/var/lib/my 50%";
      serve = { enable = true; page = true; };
    `),
    units: { "gitops-sync-serve.service": "page.service" },
  },
  {
    settings: gitops(`
      serve = {
        enable = true;
        auth = { passwordFile = "/etc/passwords"; origin = "https://a"; };
      };
    `),
    units: { "gitops-sync-serve.service": "buttons.service" },
  },
  {
    settings: gitops(`
      stateDirectory = "/var/lib/my 50%";
      notify.apprise.urlsFile = "/etc/gitops-sync/apprise";
      notify.webhook = { url = "https://a/b"; secretFile = "/etc/c"; };
      commitStatus = { forge = "gitea"; tokenFile = "/etc/gitops-sync/forge"; };
      metrics.textfile = "/var/lib/node exporter/gitops-sync.prom";
    `),
    units: {
      "gitops-sync.service": "told.service",
      "gitops-sync-notify.service": "notify.service",
      "gitops-sync-notify.path": "notify.path",
      "gitops-sync-notify.timer": "notify.timer",
    },
  },
  {
    settings: token,
    units: { "gitops-sync-vault-agent.service": "vault-agent.service" },
  },
  {
    settings: token +
      'sops.secrets.a = { }; sops.age.keyFile = "/a"; sops.useSystemdActivation = true;',
    units: {
      "gitops-sync-vault-agent.service": "vault-agent-early.service",
      "sops-install-secrets.service": "sops-install-secrets.service",
    },
  },
];
