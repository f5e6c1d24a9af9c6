# services.gitops: a timer that deploys a Git repository to this host.
#
# nix/program-options.nix has the options of the program. This file only has what
# NixOS adds: the package, the timer, the service and its sandbox.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  inherit (lib)
    literalExpression
    mkEnableOption
    mkIf
    mkOption
    mkPackageOption
    types
    ;

  cfg = config.services.gitops;
  json = pkgs.formats.json { };
  program = import ./nix/program-options.nix { inherit lib; };

  # The program has the defaults of options that are not set.
  # systemd passes only the key, and its certificate stays beside the key file.
  given =
    lib.optionalAttrs ((cfg.settings.sshKeyFile or null) != null) {
      sshCertificateFile = "${cfg.settings.sshKeyFile}-cert.pub";
    }
    // lib.filterAttrsRecursive (_: value: value != null) (
      # A unit of its own delivers messages.
      lib.recursiveUpdate cfg.settings (lib.optionalAttrs receivers.hasAny { notify.by = "unit"; })
    );

  receivers = import ./nix/receivers.nix { inherit cfg lib; };
  units = import ./nix/units.nix { inherit lib; };
  unitName = types.strMatching units.unitName // {
    description = "name of a unit such as notify@%n.service";
  };

  # The program starts these units, so the module replaces the specifiers of
  # systemd.unit(5) in their names.
  asUnits =
    option:
    option
    // {
      type = types.listOf unitName;
      apply = map (
        builtins.replaceStrings [ "%n" "%N" "%p" ] [ "gitops-sync.service" "gitops-sync" "gitops-sync" ]
      );
    };

  inherit (import ./nix/times.nix { inherit cfg lib; }) dates spans;

  configFile = (import ./nix/config-file.nix { inherit lib pkgs; }).make {
    name = "gitops-sync-config.yaml";
    settings = given;
    inherit (cfg) package;
    optionsOf =
      "services.gitops"
      + lib.optionalString (cfg.fromVault != { }) ", and those of vault under sops.vault, too";
    inherit spans;
    dates = map (value: {
      option = "services.gitops.dates";
      inherit value;
    }) dates;
    systemd = config.systemd.package;
  };

  # Secrets of the program that systemd passes to the service, wherever they are
  # and whoever may read them: option, name of the credential, flag.
  secretFiles = lib.filter (file: file.path != null) [
    {
      option = "tokenFile";
      credential = "token";
      flag = "--token-file";
      path = cfg.settings.tokenFile;
    }
    {
      option = "sshKeyFile";
      credential = "ssh-key";
      flag = "--ssh-key-file";
      path = cfg.settings.sshKeyFile;
    }
    {
      option = "tls.keyFile";
      credential = "tls-key";
      flag = "--tls-key-file";
      path = cfg.settings.tls.keyFile or null;
    }
    {
      option = "gates.tokenFile";
      credential = "gates-token";
      flag = "--gates-token-file";
      path = cfg.settings.gates.tokenFile or null;
    }
    {
      option = "lock.etcd.keyFile";
      credential = "lock-key";
      flag = "--lock-etcd-key-file";
      path = cfg.settings.lock.etcd.keyFile or null;
    }
    {
      option = "lock.etcd.passwordFile";
      credential = "lock-password";
      flag = "--lock-etcd-password-file";
      path = cfg.settings.lock.etcd.passwordFile or null;
    }
  ];
  otherFiles = lib.mapAttrsToList (credential: path: {
    option = "credentials.${credential}";
    inherit credential path;
  }) cfg.credentials;

  # Transient units of systemd change the system profile, the boot loader and the
  # running system, and the Nix daemon builds. So the service can be sandboxed: it
  # only changes its own state and cache.
  sandbox = import ./nix/sandbox.nix;

  # The same as in lib/report/published.ts.
  publishedFolder = "/run/gitops-sync-status";
  isPublished = cfg.settings.publishStatus or true;
in
{
  _class = "nixos";

  imports = [
    ./nix/beside.nix
    ./nix/evaluation.nix
    ./nix/notify.nix
    ./nix/serve.nix
  ];

  options.services.gitops = program.options // {
    onFailure = asUnits program.options.onFailure;
    onRecovered = asUnits program.options.onRecovered;
    onSuccess = asUnits program.options.onSuccess;

    notify = program.options.notify // {
      apprise = program.options.notify.apprise // {
        package = mkPackageOption pkgs "apprise" { };
      };
    };

    secrets = program.options.secrets // {
      plugins = mkOption {
        type = types.listOf types.package;
        default = config.sops.age.plugins or [ ];
        defaultText = literalExpression "config.sops.age.plugins or [ ]";
        example = literalExpression "[ pkgs.age-plugin-yubikey ]";
        description = ''
          Packages with age plugins (`age-plugin-NAME`) that the host's identities need. The check of secrets uses them.
        '';
      };
    };

    enable = mkEnableOption "gitops-sync, which deploys a Git repository to this host";

    package = mkPackageOption pkgs "gitops-sync" { };

    frequency = mkOption {
      type = types.str;
      default = "30m";
      example = "5m";
      description = ''
        The time between the end of one run and the start of the next, as a time span of systemd.time(7).
      '';
    };

    dates = mkOption {
      type = types.nullOr (types.either types.str (types.listOf types.str));
      default = null;
      example = "04:40";
      description = ''
        When runs begin, as one or more calendar events of systemd.time(7), instead of `frequency`. A run that was missed while the host was off starts after the boot.
      '';
    };

    randomizedDelay = mkOption {
      type = types.str;
      default = "1m";
      description = ''
        The maximum delay of each run, so that many hosts do not query the remote at the same moment. Each host has its own delay, which stays the same.
      '';
    };

    timeout = mkOption {
      type = types.str;
      default = "12h";
      description = ''
        The longest time that one run may take before systemd ends it. `infinity` means no limit. The program has shorter limits for each of its stages (`services.gitops.timeouts`).
      '';
    };

    settings = mkOption {
      type = types.submodule { freeformType = json.type; };
      default = { };
      # These are not definitions of the option itself: the module system would
      # concatenate lists, and drop groups with a weaker priority.
      apply = lib.recursiveUpdate (lib.recursiveUpdate (program.valuesIn cfg) cfg.fromVault);
      example = literalExpression ''{ timeouts.build = "2h"; }'';
      description = ''
        The configuration of the program, as written to `/etc/gitops-sync/config.yaml`. It contains the options of this module. A value that is set here replaces theirs, whatever its priority.
      '';
    };

    fromVault = mkOption {
      type = json.type;
      default = { };
      internal = true;
      description = "The options of the program that `sops.vault` sets.";
    };

    credentialFlags = mkOption {
      type = types.listOf types.str;
      default = map (file: "${file.flag}=%d/${file.credential}") secretFiles;
      internal = true;
      readOnly = true;
      description = "Flags with which the program finds the files that systemd passes to it.";
    };

    credentials = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = literalExpression ''{ netrc = "/etc/nix/netrc"; }'';
      description = ''
        More files that systemd reads for the service (`LoadCredential=`), by name. While the service runs, each file is at `/run/credentials/gitops-sync.service/NAME`. The module already passes `tokenFile`, `sshKeyFile`, `tls.keyFile`, `gates.tokenFile`, `lock.etcd.keyFile` and `lock.etcd.passwordFile` this way, as `token`, `ssh-key`, `tls-key`, `gates-token`, `lock-key` and `lock-password`.
      '';
    };

    path = mkOption {
      type = types.listOf types.package;
      default = [ ];
      example = literalExpression "[ pkgs.git-lfs ]";
      description = ''
        More packages whose programs are on the PATH of the service.
      '';
    };

    environment = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = {
        NIX_SSL_CERT_FILE = "/etc/ssl/certs/company.crt";
      };
      description = ''
        More environment variables of the service. Each value is used exactly as written here. The service already has the proxy settings of the host (`networking.proxy`).
      '';
    };
  };

  config = mkIf cfg.enable {
    assertions = import ./nix/assertions.nix {
      receiverFiles = receivers.files;
      inherit
        config
        dates
        lib
        options
        otherFiles
        program
        secretFiles
        spans
        units
        ;
    };

    environment.systemPackages = [ cfg.package ];
    environment.etc."gitops-sync/config.yaml".source = configFile;

    systemd.services.gitops-sync = {
      description = "Sync this host with its Git repository";
      wants = [ "network-online.target" ];
      after = [
        "network-online.target"
        "nix-daemon.socket"
      ];

      # A switch that this service makes must not end it.
      restartIfChanged = false;
      unitConfig.X-StopOnRemoval = false;

      environment = units.environment (
        config.nix.envVars
        // config.networking.proxy.envVars
        // {
          HOME = "/root";
          XDG_CACHE_HOME = "/var/cache/gitops-sync";
          # Nix in the sandbox can't write to the store itself.
          NIX_REMOTE = "daemon";
        }
        // cfg.environment
      );
      path = [
        config.nix.package
        config.system.build.nixos-rebuild
      ]
      ++ cfg.secrets.plugins
      ++ cfg.path;

      serviceConfig = sandbox // {
        Type = "oneshot";
        ExecStart = lib.concatStringsSep " " (
          [
            (lib.getExe cfg.package)
            "sync"
          ]
          # A push must not be lost if a run by hand has already queried the remote.
          ++ lib.optional cfg.serve.enable "--wait"
          ++ cfg.credentialFlags
        );
        LoadCredential = map units.credential (secretFiles ++ otherFiles);
        # Another run is in progress, perhaps by hand: this is not a failure.
        SuccessExitStatus = 10;
        TimeoutStartSec = cfg.timeout;
        # The program ends its own commands, and rolls the host back.
        KillMode = "mixed";
        TimeoutStopSec = "5min";
        StateDirectory = units.stateWord cfg.settings.stateDirectory;
        StateDirectoryMode = "0700";
        CacheDirectory = "gitops-sync";
        CacheDirectoryMode = "0700";
        # In memory, and removed after the run: for decrypted secrets.
        RuntimeDirectory = "gitops-sync";
        RuntimeDirectoryMode = "0700";
      }
      // lib.optionalAttrs (isPublished || receivers.textfile != null) {
        # The RuntimeDirectory is removed after each run, and only root may enter it.
        ReadWritePaths =
          lib.optional isPublished "-${publishedFolder}"
          ++ lib.optional (receivers.textfile != null) (units.perhaps (dirOf receivers.textfile));
      };
    };

    # For people who are not root: the state of the host, without secrets.
    systemd.tmpfiles.rules = mkIf isPublished [ "d ${publishedFolder} 0755 root root -" ];

    systemd.timers.gitops-sync = {
      description = "Sync this host with its Git repository regularly";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        RandomizedDelaySec = cfg.randomizedDelay;
        FixedRandomDelay = true;
        AccuracySec = "1s";
      }
      // (
        if cfg.dates != null then
          {
            OnCalendar = dates;
            # For a date that passed while the host was off.
            Persistent = true;
          }
        else
          {
            # For the first run; at once if the host was up before the module was
            # active. Never Persistent: with the stamp of an earlier run, systemd
            # counts the first run as done, and no other run ever starts.
            OnBootSec = "1min";
            # If systemd knows of no end of a run.
            OnActiveSec = cfg.frequency;
            OnUnitInactiveSec = cfg.frequency;
          }
      );
    };
  };
}
