# sops.vault: sops decrypts with Vault's transit engine, and no token is anywhere
# but in the memory of one small service.
#
# sops asks the server that a file names, with a token from its environment,
# unless VAULT_AGENT_ADDR names another one: here a socket of gitops-sync's
# vault-agent, which lets decrypt calls through to the one configured server.
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
  socket = "/run/gitops-sync-vault/agent.sock";
  unit = "gitops-sync-vault-agent";
  json = pkgs.formats.json { };

  optionOf =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };

  # What systemd hands to the service, wherever it is and whoever may read it:
  # option, name of the credential, flag, and whether it is a secret.
  files = lib.filter (file: file.path != null) [
    {
      option = "tokenFile";
      credential = "token";
      flag = "--vault-token-file";
      path = cfg.tokenFile;
      isSecret = true;
    }
    {
      option = "appRole.roleIdFile";
      credential = "role-id";
      flag = "--vault-app-role-role-id-file";
      path = cfg.appRole.roleIdFile;
      isSecret = true;
    }
    {
      option = "appRole.secretIdFile";
      credential = "secret-id";
      flag = "--vault-app-role-secret-id-file";
      path = cfg.appRole.secretIdFile;
      isSecret = true;
    }
    {
      option = "caFile";
      credential = "ca";
      flag = "--vault-ca-file";
      path = cfg.caFile;
      isSecret = false;
    }
  ];
  secretFiles = lib.filter (file: file.isSecret) files;

  given = lib.filterAttrsRecursive (_: value: value != null) {
    inherit (cfg) address namespace engines;
  };
  configFile = json.generate "gitops-sync-vault.json" {
    vault = given // {
      inherit socket;
      appRole = lib.filterAttrsRecursive (_: value: value != null) {
        inherit (cfg.appRole) mount roleId wrapped;
      };
    };
  };

  hasSops = options.sops ? environment;
  isUnitOfSops = hasSops && (config.sops.useSystemdActivation or false);
in
{
  key = "gitops-sync-vault";

  options.sops.vault = {
    enable = mkEnableOption "decrypting with the transit engine of Vault or OpenBao";

    address = optionOf types.str ''
      The server, for example `https://vault.example.com`. It is the only one that is spoken to, whatever address a file names.
    '';

    namespace = optionOf types.str "The namespace of Vault in which the mounts are.";

    engines = mkOption {
      type = types.listOf types.str;
      default = [
        "sops"
        "transit"
      ];
      description = "The mounts of transit engines that decrypt calls may go to.";
    };

    caFile = optionOf types.str ''
      The certificates (PEM) that the server is trusted by. Without it the usual ones count.
    '';

    tokenFile = optionOf types.str ''
      A file that holds a token. It is renewed while that is possible, and never revoked.
    '';

    appRole = {
      mount = mkOption {
        type = types.str;
        default = "approle";
        description = "Where the AppRole login is mounted, below `auth/`.";
      };
      roleId = optionOf types.str "The role id, which is no secret.";
      roleIdFile = optionOf types.str "A file that holds the role id, in place of `roleId`.";
      secretIdFile = optionOf types.str "A file that holds the secret id, or the token that wraps it.";
      wrapped = mkOption {
        type = types.bool;
        default = false;
        description = ''
          Whether the file holds a wrapping token, which gives the secret id once: each start of the service needs a new one.
        '';
      };
    };
  };

  config = mkIf cfg.enable (mkMerge [
    {
      assertions = [
        {
          assertion = cfg.address != null;
          message = ''
            sops.vault does not know its server. Write, for example:
              sops.vault.address = "https://vault.example.com";'';
        }
        {
          assertion = (cfg.tokenFile != null) != (cfg.appRole.secretIdFile != null);
          message = ''
            sops.vault needs one way to log in: sops.vault.tokenFile, or sops.vault.appRole.secretIdFile with
            sops.vault.appRole.roleId or sops.vault.appRole.roleIdFile.'';
        }
      ]
      ++ map (file: {
        assertion = !lib.hasPrefix builtins.storeDir file.path;
        message = ''
          sops.vault.${file.option} is in the Nix store, where every user can read it. Put the file on the host and write its path as text, for example:
            sops.vault.${file.option} = "/etc/vault/${file.credential}";'';
      }) secretFiles;

      # The check before a switch goes the same way.
      services.gitops.settings.vault = given // {
        inherit socket;
      };

      systemd.services.${unit} = {
        description = "Decrypt with Vault for sops";
        wantedBy = [ "multi-user.target" ];
        wants = [ "network-online.target" ];
        after = [ "network-online.target" ];
        before = [ "gitops-sync.service" ];

        # Stopped before a switch it could not decrypt for that switch.
        stopIfChanged = false;

        environment = {
          HOME = "/var/empty";
        }
        // config.networking.proxy.envVars;

        serviceConfig = import ./nix/sandbox.nix // {
          Type = "notify";
          # It tells by systemd-notify.
          NotifyAccess = "all";
          ExecStart = lib.concatStringsSep " " (
            [
              (lib.getExe config.services.gitops.package)
              "vault-agent"
              "--config=${configFile}"
            ]
            ++ map (file: "${file.flag}=%d/${file.credential}") files
          );
          LoadCredential = map (file: "${file.credential}:${file.path}") files;
          # A user of its own for as long as it runs; root passes all the same.
          DynamicUser = true;
          RuntimeDirectory = "gitops-sync-vault";
          RuntimeDirectoryMode = "0700";
          Restart = "on-failure";
          RestartSec = 10;
          TimeoutStartSec = "1min";
          TimeoutStopSec = "30s";

          # Beyond what the service that syncs can bear.
          PrivateUsers = true;
          ProcSubset = "pid";
          ProtectHome = true;
        };
      };
    }

    # The way for sops in sops-nix: a constant, and no secret.
    (lib.optionalAttrs hasSops { sops.environment.VAULT_AGENT_ADDR = "unix://${socket}"; })

    # In script mode the activation runs while services of before are up, and at
    # boot before any is.
    (mkIf isUnitOfSops {
      systemd.services.sops-install-secrets = {
        wants = [ "${unit}.service" ];
        after = [ "${unit}.service" ];
      };
    })
  ]);
}
