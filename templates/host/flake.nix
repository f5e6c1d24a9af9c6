{
  description = "Hosts that follow this repository";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";
    gitops.url = "github:yourname/gitops-sync";
    gitops.inputs.nixpkgs.follows = "nixpkgs";
    sops-nix.url = "github:Mic92/sops-nix";
    sops-nix.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    {
      nixpkgs,
      gitops,
      sops-nix,
      ...
    }:
    {
      # A host finds its entry by its host name.
      nixosConfigurations.myhost = nixpkgs.lib.nixosSystem {
        system = "x86_64-linux";
        modules = [
          gitops.nixosModules.gitops
          sops-nix.nixosModules.sops
          ./hosts/myhost.nix
        ];
      };
    };
}
