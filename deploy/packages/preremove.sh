#!/bin/sh
# Removed, not upgraded (deb says "remove" or "upgrade", rpm 0 or 1). The slot stays
# and holds back WAL on the primary: drop it when walrelay does not come back.
case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now walrelay.service || true
	fi
	;;
esac
