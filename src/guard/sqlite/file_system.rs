//! File systems that several machines can mount at once, or a machine and those that run on it.
//!
//! SQLite needs locks and a shared memory that hold for everybody who has the file open. There they
//! may hold on one machine only, or nowhere, and a code would be accepted once on each.

/// What Linux calls the type of a file system (`statfs`), and what people call it.
const SHARED: &[(u32, &str)] = &[
    (0x0102_1997, "9p"),
    (0x6163_6673, "ACFS"),
    (0x5346_414F, "AFS"),
    (0x6B41_4653, "AFS"),
    (0x1983_0326, "BeeGFS"),
    (0x00C3_6400, "Ceph"),
    (0x7375_7245, "Coda"),
    // virtiofs has the same number.
    (0x6573_5546, "FUSE or virtiofs"),
    (0x0116_1970, "GFS2"),
    (0x4750_4653, "GPFS"),
    (0x0BD0_0BD0, "Lustre"),
    (0x0000_564C, "NCP"),
    (0x0000_6969, "NFS"),
    (0x7461_636F, "OCFS2"),
    (0x2003_0528, "OrangeFS"),
    (0xAAD7_AAEA, "PanFS"),
    (0x7C7C_6673, "Parallels' shared folders"),
    (0x0000_517B, "SMB"),
    (0xFE53_4D42, "SMB"),
    (0xFF53_4D42, "SMB"),
    (0xBEEF_DEAD, "StorNext"),
    (0x786F_4256, "VirtualBox's shared folders"),
    (0xBACB_ACBC, "VMware's shared folders"),
];

/// The name of a file system of this type, if it is one of these.
pub(super) fn shared_by_machines(file_system: u32) -> Option<&'static str> {
    let found = SHARED.iter().find(|(number, _)| *number == file_system);
    found.map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_of_one_machine_pass() {
        for (number, name) in [
            (0x0000_EF53, "ext4"),
            (0x5846_5342, "xfs"),
            (0x9123_683E, "btrfs"),
            (0x2FC1_2FC1, "zfs"),
            (0xF2F5_2010, "f2fs"),
            (0x0102_1994, "tmpfs"),
            (0x8584_58F6, "ramfs"),
            (0x794C_7630, "overlayfs"),
            (0xCA45_1A4E, "bcachefs"),
            (0x0000_4D44, "vfat"),
            (0x1234_5678, "one that nobody knows"),
        ] {
            assert_eq!(shared_by_machines(number), None, "{name}");
        }
    }

    /// The numbers of libc's header, where it has them.
    #[test]
    fn file_systems_of_several_machines_are_known() {
        for (number, name) in [
            (libc::NFS_SUPER_MAGIC as u32, "NFS"),
            (libc::SMB_SUPER_MAGIC as u32, "SMB"),
            (libc::AFS_SUPER_MAGIC as u32, "AFS"),
            (libc::CODA_SUPER_MAGIC as u32, "Coda"),
            (libc::FUSE_SUPER_MAGIC as u32, "FUSE or virtiofs"),
            (libc::NCP_SUPER_MAGIC as u32, "NCP"),
            (libc::OCFS2_SUPER_MAGIC as u32, "OCFS2"),
            // linux/magic.h has these as well.
            (0xFF53_4D42, "SMB"),
            (0xFE53_4D42, "SMB"),
            (0x0102_1997, "9p"),
            (0x00C3_6400, "Ceph"),
            (0x0BD0_0BD0, "Lustre"),
        ] {
            assert_eq!(shared_by_machines(number), Some(name), "{number:#x}");
        }
    }
}
