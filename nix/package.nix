# The program as one binary, or, where nixpkgs has no runtime to put into one
# (deno.denort), as a wrapper around Deno. Both do the same.
{
  lib,
  stdenvNoCC,
  makeWrapper,
  installShellFiles,
  deno,
  age,
  coreutils,
  gitMinimal,
  gnupg,
  openssh,
  sops,
  util-linux,
}:
let
  inherit (lib.importJSON ../deno.json) version;

  # The programs that it may run, and no others; tests/nix holds this list to
  # what lib runs. Those that come with it go by their path in the store. nix,
  # nixos-rebuild and systemd are the host's, and must fit it: Deno looks for each
  # on PATH once, when it starts.
  mayRun = {
    age = age;
    age-keygen = age;
    cat = coreutils;
    git = gitMinimal;
    gpg = gnupg;
    gpgconf = gnupg;
    head = coreutils;
    journalctl = null;
    kill = if stdenvNoCC.hostPlatform.isLinux then util-linux else null;
    ls = coreutils;
    nix = null;
    nix-env = null;
    nix-instantiate = null;
    nix-store = null;
    nixos-rebuild = null;
    sops = sops;
    ssh-keygen = openssh;
    stat = coreutils;
    systemctl = null;
    systemd-notify = null;
    systemd-run = null;
    unshare = if stdenvNoCC.hostPlatform.isLinux then util-linux else null;
  };

  runtimePrograms = lib.unique (lib.filter (package: package != null) (lib.attrValues mayRun));

  pathOf = name: package: if package == null then name else lib.getExe' package name;

  # All that any configuration can need. Each command gives up what its own does
  # not (lib/cli/permissions.ts), in a worker whose permissions Deno holds to be
  # an unstable option.
  permissions = [
    # A program of the list that is not on PATH is told when it is needed.
    "--quiet"
    "--no-prompt"
    "--allow-env"
    "--allow-net"
    "--allow-read"
    "--allow-write"
    "--allow-sys=hostname,uid,statfs,umask"
    "--allow-run=${lib.concatStringsSep "," (lib.mapAttrsToList pathOf mayRun)}"
    "--unstable-worker-options"
  ];

  # Nothing is fetched, neither when it is built nor when it runs.
  offline = [
    "--cached-only"
    # The Deno of NixOS 25.05 can't read deno.lock, and the hash below says more.
    "--no-lock"
    "--no-remote"
    "--node-modules-dir=manual"
  ];

  flags = lib.concatStringsSep " " (permissions ++ offline);

  # Loaded at their first use by names that are no literals (see gitops_sync.ts,
  # lib/cli/confine.ts and lib/secrets/reading/reader.ts), so that the compiler
  # has to be told.
  lateEntries = [
    "lib/cli/main.ts"
    "lib/cli/worker.ts"
    "lib/secrets/reading/worker.ts"
  ];

  canCompile = deno ? denort;

  # Only the packages' own files: all else that Deno keeps of a download is
  # different each time. tests/nix computes the hash anew.
  dependencies = stdenvNoCC.mkDerivation {
    name = "gitops-sync-dependencies";
    src = lib.fileset.toSource {
      root = ../.;
      fileset = lib.fileset.unions [
        ../deno.json
        ../lib/std
      ];
    };
    nativeBuildInputs = [ deno ];
    impureEnvVars = lib.fetchers.proxyImpureEnvVars;
    dontConfigure = true;
    buildPhase = ''
      runHook preBuild
      export HOME=$TMPDIR DENO_NO_UPDATE_CHECK=1
      deno install --no-lock --node-modules-dir=auto --entrypoint lib/std/*.ts
      runHook postBuild
    '';
    installPhase = ''
      runHook preInstall
      mkdir $out
      # A package's own folder; what it depends on stands beside it as a link.
      find node_modules/.deno/*/node_modules -mindepth 1 -maxdepth 1 -type d \
        -exec cp -r {} $out/ \;
      runHook postInstall
    '';
    dontFixup = true;
    outputHashMode = "recursive";
    outputHashAlgo = "sha256";
    outputHash = "sha256-pjtyoZ8tCB/KLQj1KjWFTUbMyOQzvqTLDfZT3CQZPXo=";
  };
in
stdenvNoCC.mkDerivation {
  pname = "gitops-sync";
  inherit version;

  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../deno.json
      ../gitops_sync.ts
      ../lib
    ];
  };

  nativeBuildInputs = [
    deno
    installShellFiles
    makeWrapper
  ];

  dontConfigure = true;
  buildPhase = ''
    runHook preBuild
    export HOME=$TMPDIR DENO_NO_UPDATE_CHECK=1
    cp -r ${dependencies} node_modules
    chmod -R u+w node_modules
    ${lib.optionalString canCompile ''
      DENORT_BIN=${deno.denort}/bin/denort deno compile --no-check ${flags} \
        ${lib.concatMapStringsSep " " (entry: "--include ${entry}") lateEntries} --output gitops-sync gitops_sync.ts
    ''}
    for shell in bash zsh fish; do
      deno run ${flags} gitops_sync.ts completions $shell >completions.$shell
    done
    runHook postBuild
  '';

  installPhase = ''
    runHook preInstall
    ${
      if canCompile then
        ''
          install -D gitops-sync $out/libexec/gitops-sync
          makeWrapper $out/libexec/gitops-sync $out/bin/gitops-sync \
            --prefix PATH : ${lib.makeBinPath runtimePrograms}
        ''
      else
        ''
          mkdir -p $out/share/gitops-sync
          cp -r deno.json gitops_sync.ts lib node_modules $out/share/gitops-sync/
          makeWrapper ${lib.getExe deno} $out/bin/gitops-sync \
            --prefix PATH : ${lib.makeBinPath runtimePrograms} \
            --set DENO_NO_UPDATE_CHECK 1 \
            --add-flags "run ${flags} $out/share/gitops-sync/gitops_sync.ts"
        ''
    }
    installShellCompletion --cmd gitops-sync \
      --bash completions.bash --zsh completions.zsh --fish completions.fish
    runHook postInstall
  '';

  # The program is appended to the runtime, and would be cut off.
  dontStrip = true;
  dontPatchELF = true;

  passthru = { inherit dependencies mayRun permissions; };

  meta = {
    description = "Pull-based GitOps for NixOS that leaves the host working";
    longDescription = ''
      Brings a NixOS host to the revision that a branch or tag of a Git
      repository names: fetched, verified, its secrets proven to decrypt, built,
      activated, and checked for health. What is not well is undone, and the
      previous system runs again.
    '';
    license = lib.licenses.mit;
    mainProgram = "gitops-sync";
    maintainers = [ ];
    platforms = lib.platforms.linux ++ lib.platforms.darwin;
  };
}
