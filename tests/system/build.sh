# Builds a stand-in system; system.nix runs it and sets the variables.
# The folders and names are those of a real NixOS system.
# shellcheck shell=sh disable=SC2154

if [ -n "$snippet" ]; then
	(eval "$snippet")
fi

mkdir -p "$out/bin" "$out/etc/systemd/system" "$out/stand-in"
cp "$script" "$out/bin/switch-to-configuration"
chmod 555 "$out/bin/switch-to-configuration"
# The same script looks at the name it is called by.
if [ -n "$activate" ]; then
	# A script like that of NixOS to read, which leaves the work to the other.
	mkdir "$out/stand-in/by-name"
	ln -s ../../bin/switch-to-configuration "$out/stand-in/by-name/activate"
	printf '#!/bin/sh\n%s\nexec %s/stand-in/by-name/activate\n' "$activate" "$out" >"$out/activate"
	chmod 555 "$out/activate"
else
	ln -s bin/switch-to-configuration "$out/activate"
fi
ln -s bin/switch-to-configuration "$out/init"

echo "26.05.stand-in" >"$out/nixos-version"
# In NixOS each of these is a store path of its own.
ln -s "$boot_parts/kernel" "$out/kernel"
ln -s "$boot_parts/initrd" "$out/initrd"
ln -s "$boot_parts/kernel-modules" "$out/kernel-modules"
echo "$greeting" >"$out/etc/greeting"
echo "$host" >"$out/etc/hostname"
[ -z "$revision" ] || echo "$revision" >"$out/configuration-revision"

cp "$settings" "$out/stand-in/settings"
cp "$activation" "$out/stand-in/activation"
printf %s "$secrets" >"$out/stand-in/secrets"
printf %s "$services" >"$out/stand-in/services"
# Naming them makes them part of this system's closure.
echo "$dependencies" >"$out/stand-in/dependencies"
# As NixOS does: what [Install] of a unit says is a link in the folder of what
# wants it. A file without text masks a unit.
install_unit() { # NAME FILE
	unit=$1
	target=$2
	[ -s "$2" ] || target=/dev/null
	ln -s "$target" "$out/etc/systemd/system/$unit"
	instance=$(sed -n 's/^DefaultInstance=//p' "$2")
	[ -z "$instance" ] || unit="${unit%%@*}@$instance.${unit##*.}"
	for by in $(sed -n 's/^WantedBy=//p' "$2"); do
		mkdir -p "$out/etc/systemd/system/$by.wants"
		ln -s "../$1" "$out/etc/systemd/system/$by.wants/$unit"
	done
}

printf %s "$services" | while IFS='	' read -r name file _; do
	install_unit "$name.service" "$file"
done
printf %s "$units" | while IFS='	' read -r name file; do
	install_unit "$name" "$file"
done
[ -z "$fstab" ] || printf '%s\n' "$fstab" >"$out/etc/fstab"
printf %s "$user_activation" >"$out/stand-in/user-activation"
printf %s "$pre_switch_checks" >"$out/stand-in/pre-switch-checks"
printf %s "$installers" | while IFS='	' read -r name file; do
	ln -s "$file" "$out/etc/systemd/system/$name"
done
