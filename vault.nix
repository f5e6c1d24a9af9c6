# sops.vault: sops decrypts with Vault's transit engine. Only the memory of one
# small service contains a token.
#
# sops contacts the server that a file names, with a token from its environment,
# unless VAULT_AGENT_ADDR names another one. Here it names a socket of gitops-sync
# vault-agent, which passes decrypt calls to the one configured server.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  inherit (lib)
    mkEnableOption
    mkIf
    mkMerge
    mkOption
    types
    ;

  cfg = config.sops.vault;
  gitops = config.services.gitops;
  socket = "/run/gitops-sync-vault/agent.sock";
  unit = "gitops-sync-vault-agent";
  units = import ./nix/units.nix { inherit lib; };

  optionOf =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };

  # The settings here (own), and all settings (vault), which include
  # services.gitops.vault and services.gitops.settings.vault.
  isGiven = _: value: value != null;
  own = lib.filterAttrsRecursive isGiven {
    inherit (cfg)
      address
      namespace
      engines
      caFile
      tokenFile
      appRole
      ;
  };
  vault = lib.filterAttrsRecursive isGiven gitops.settings.vault;

  # The files that systemd passes to the service, wherever they are and whoever may
  # read them.
  files = lib.filter (file: file.path != null) (
    map (file: file // { path = lib.attrByPath file.at null vault; }) [
      {
        at = [ "tokenFile" ];
        credential = "token";
        flag = "--vault-token-file";
      }
      {
        at = [
          "appRole"
          "roleIdFile"
        ];
        credential = "role-id";
        flag = "--vault-app-role-role-id-file";
      }
      {
        at = [
          "appRole"
          "secretIdFile"
        ];
        credential = "secret-id";
        flag = "--vault-app-role-secret-id-file";
      }
      {
        at = [ "caFile" ];
        credential = "ca";
        flag = "--vault-ca-file";
      }
    ]
  );

  configFile = (import ./nix/config-file.nix { inherit lib pkgs; }).make {
    name = "gitops-sync-vault.json";
    # Without the files: flags name the copies that systemd makes.
    settings = {
      vault = removeAttrs vault [
        "caFile"
        "tokenFile"
      ] // {
        appRole = removeAttrs (vault.appRole or { }) [
          "roleIdFile"
          "secretIdFile"
        ];
      };
      timeouts.vault = gitops.settings.timeouts.vault;
    };
    asked = {
      inherit vault;
      timeouts.vault = gitops.settings.timeouts.vault;
    };
    # The check requires a repository; the agent needs none.
    flags = [ "--repository=https://git.example.org/infra.git" ];
    inherit (gitops) package;
    optionsOf = "sops.vault and services.gitops";
  };

  hasSops = options.sops ? environment;
  # Whether its unit installs secrets; without any, the unit does not exist.
  hasSecrets = lib.any (secret: !(secret.neededForUsers or false)) (
    lib.attrValues (config.sops.secrets or { })
  );
  isUnitOfSops = hasSops && (config.sops.useSystemdActivation or false) && hasSecrets;
in
{
  key = "gitops-sync-vault";
  _class = "nixos";

  options.sops.vault = {
    enable = mkEnableOption "decrypting with the transit engine of Vault or OpenBao";

    address = optionOf types.str ''
      The server, for example `https://vault.example.com`. No other server is contacted, whatever address a file names.
    '';

    namespace = optionOf types.str "The Vault namespace that contains the mounts.";

    engines = optionOf (types.listOf types.str) ''
      The mounts of transit engines to which decrypt calls may go. If it is not set, they are `sops` and `transit`.
    '';

    caFile = optionOf types.str ''
      The certificates (PEM) to trust for the server. If it is not set, the usual ones are trusted.
    '';

    tokenFile = optionOf types.str ''
      A file with a Vault token. The token is renewed while that is possible, and never revoked.
    '';

    appRole = {
      mount = optionOf types.str "The mount of the AppRole login, below `auth/`. If it is not set, it is `approle`.";
      roleId = optionOf types.str "The role id of AppRole. It is not a secret.";
      roleIdFile = optionOf types.str "A file with the role id, instead of `roleId`.";
      secretIdFile = optionOf types.str "A file with the secret id, or with the token that wraps it.";
      wrapped = optionOf types.bool ''
        Whether `secretIdFile` contains a wrapping token. Such a token gives the secret id only once, so each start of the service needs a new one.
      '';
    };
  };

  config = mkIf cfg.enable (mkMerge [
    {
      assertions = import ./nix/vault-assertions.nix {
        inherit
          config
          files
          hasSops
          lib
          options
          own
          socket
          units
          vault
          ;
      };

      # The check before a switch uses the same agent.
      services.gitops.fromVault.vault = own // {
        inherit socket;
      };

      systemd.services.${unit} = {
        description = "Decrypt with Vault for sops";
        wantedBy = [ "multi-user.target" ];
        before = [ "gitops-sync.service" ];

        # If it stopped before a switch, it could not decrypt for that switch.
        stopIfChanged = false;

        environment = units.environment ({ HOME = "/var/empty"; } // config.networking.proxy.envVars);

        serviceConfig = import ./nix/sandbox.nix // {
          Type = "notify";
          # It reports with systemd-notify.
          NotifyAccess = "all";
          ExecStart = lib.concatStringsSep " " (
            [
              (lib.getExe gitops.package)
              "vault-agent"
              "--config=${configFile}"
            ]
            ++ map (file: "${file.flag}=%d/${file.credential}") files
          );
          LoadCredential = map units.credential files;
          # Its own user while it runs; root can still connect.
          DynamicUser = true;
          RuntimeDirectory = "gitops-sync-vault";
          RuntimeDirectoryMode = "0700";
          Restart = "on-failure";
          RestartSec = 10;
          TimeoutStartSec = "1min";
          TimeoutStopSec = "30s";

          # Stricter than the service that syncs.
          PrivateUsers = true;
          ProcSubset = "pid";
          ProtectHome = true;
        };
      };
    }

    # The agent's address for sops in sops-nix: a constant, not a secret.
    (lib.optionalAttrs hasSops { sops.environment.VAULT_AGENT_ADDR = "unix://${socket}"; })

    # In script mode the activation runs while the old services are up, and at boot
    # before any service is up.
    (mkIf (!isUnitOfSops) {
      systemd.services.${unit} = {
        wants = [ "network-online.target" ];
        after = [ "network-online.target" ];
      };
    })

    # The network may need what the unit of sops-nix installs. So the agent, which
    # starts before that unit, does not wait for the network. It is ready even if it
    # could not log in, and its calls wait for the server (timeouts.vault). If the
    # network comes too late for them, the unit of sops-nix is started again.
    (mkIf isUnitOfSops {
      systemd.services.${unit} = {
        wantedBy = [ "sops-install-secrets.service" ];
        before = [
          "sops-install-secrets.service"
          "shutdown.target"
        ];
        after = [ "local-fs.target" ];
        conflicts = [ "shutdown.target" ];
        unitConfig.DefaultDependencies = false;
      };
      systemd.services.sops-install-secrets.serviceConfig = {
        Restart = lib.mkDefault "on-failure";
        RestartSec = lib.mkDefault 10;
      };
    })
  ]);
}
