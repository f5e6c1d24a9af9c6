# The assertions of sops.vault. They refuse settings that can't work on any host;
# the program checks the rest when the host is built.
{
  config,
  files,
  hasSops,
  lib,
  options,
  own,
  socket,
  units,
  vault,
}:
let
  gitops = options.services.gitops.vault;

  nameOf = lib.concatStringsSep ".";

  # The paths and values of a tree of settings.
  leavesOf =
    at: value:
    if lib.isAttrs value then
      lib.concatLists (lib.mapAttrsToList (name: leavesOf (at ++ [ name ])) value)
    else
      [ { inherit at value; } ];

  # Whether another value is set: by an option, or in `settings`.
  isOtherwise =
    { at, value }:
    let
      other = lib.getAttrFromPath at gitops;
    in
    lib.attrByPath at null vault != value
    || (other.highestPrio < (lib.mkOptionDefault null).priority && !lib.elem other.value [ null value ]);
  aboutConflict = leaf: {
    assertion = !isOtherwise leaf;
    message = ''
      sops.vault.${nameOf leaf.at} is ${builtins.toJSON leaf.value}, and services.gitops.vault.${nameOf leaf.at} has another value. Both set the same option: remove one of them.'';
  };

  aboutFile =
    file:
    let
      problem = units.problemOfPath file.path;
      example = "/etc/vault/${file.credential}";
    in
    {
      assertion = problem == null;
      message = ''
        sops.vault.${nameOf file.at} ${toString problem}. Write the path of a file on the host as a string, for example:
          sops.vault.${nameOf file.at} = "${example}";'';
    };
  aboutSecret = file: {
    assertion = !builtins.isString file.path || !lib.hasPrefix builtins.storeDir file.path;
    message = ''
      sops.vault.${nameOf file.at} is in the Nix store, where every user can read it. Put the file on the host and write its path as a string, for example:
        sops.vault.${nameOf file.at} = "/etc/vault/${file.credential}";'';
  };

  role = vault.appRole or { };
  isToken = vault ? tokenFile;
  isRole = role ? roleId || role ? roleIdFile || role ? secretIdFile;
  roleIds = lib.count (is: is) [
    (role ? roleId)
    (role ? roleIdFile)
  ];

  sops = config.sops;
  hasKey =
    sops.age.keyFile or null != null
    || sops.age.sshKeyPaths or [ ] != [ ]
    || sops.gnupg.home or null != null
    || sops.gnupg.sshKeyPaths or [ ] != [ ];
in
[
  {
    assertion = vault ? address;
    message = ''
      sops.vault.address is required. Set it, for example:
        sops.vault.address = "https://vault.example.com";'';
  }
  {
    assertion = vault.engines or null != [ ];
    message = ''
      sops.vault.engines is empty, so nothing could be decrypted. Remove it, or write, for example:
        sops.vault.engines = [ "sops" ];'';
  }
  {
    assertion = isToken != isRole;
    message = ''
      sops.vault needs one way to log in: sops.vault.tokenFile, or sops.vault.appRole.secretIdFile with
      sops.vault.appRole.roleId or sops.vault.appRole.roleIdFile.'';
  }
  {
    assertion = !isRole || (role ? secretIdFile && roleIds == 1);
    message = ''
      sops.vault.appRole needs a secret id and one role id. Write, for example:
        sops.vault.appRole.secretIdFile = "/etc/vault/secret-id";
        sops.vault.appRole.roleIdFile = "/etc/vault/role-id";'';
  }
  {
    assertion = vault.socket == socket && lib.elem gitops.socket.value [ gitops.socket.default socket ];
    message = ''
      services.gitops.vault.socket is not the socket of the service of sops.vault. Remove it.'';
  }
  {
    assertion = !hasSops || sops.secrets or { } == { } || hasKey;
    message = ''
      sops-nix refuses a host that has only Vault: the host also needs a key. With the key, a boot can decrypt files for that key without Vault. Write, for example:
        sops.age.keyFile = "/var/lib/sops-nix/key.txt";
        sops.age.generateKey = true;'';
  }
]
++ map aboutConflict (leavesOf [ ] own)
++ map aboutFile files
++ map aboutSecret (lib.filter (file: file.credential != "ca") files)
