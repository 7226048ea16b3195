//! Every kind of finding: its id, what it means, and what mends it. `docs/audit.md` is held against it.

macro_rules! kinds {
    ($($(#[$part:meta])? $name:ident $id:literal: $means:literal; $mends:literal;)*) => {
        /// A kind of finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $(#[doc = $means] $name,)*
        }

        impl Kind {
            /// All of them, in the order of the handbook.
            pub const ALL: &[Kind] = &[$(Kind::$name,)*];

            /// The stable id.
            pub fn id(self) -> &'static str {
                match self { $(Kind::$name => $id,)* }
            }

            /// What it means.
            pub fn means(self) -> &'static str {
                match self { $(Kind::$name => $means,)* }
            }

            /// What mends it.
            pub fn mends(self) -> &'static str {
                match self { $(Kind::$name => $mends,)* }
            }
        }
    };
}

kinds! {
    MxPointsToLegacy "mx-points-to-legacy":
        "An MX record names a host of the legacy platform.";
        "Remove the record, or point it at the host of the design.";
    MxAliasToLegacy "mx-alias-to-legacy":
        "An MX host under another name is an alias of a legacy host.";
        "Name the right host in the MX record itself.";
    MxAddressIsLegacy "mx-address-is-legacy":
        "An MX host under another name has an address in a network of the legacy platform.";
        "Give the host the address of the new server, or remove the MX record.";
    MxReverseNameIsLegacy "mx-reverse-name-is-legacy":
        "The PTR record of an MX host's address gives a name of the legacy platform.";
        "Find out whose server that is; correct the PTR record where the address has moved.";
    MxBannerIsLegacy "mx-banner-is-legacy":
        "An MX host greets with a name of the legacy platform.";
        "Find out which server stands behind the address; correct the greeting where only that was forgotten.";
    MxCertificateIsLegacy "mx-certificate-is-legacy":
        "An MX host shows a certificate or a key of the legacy platform.";
        "Find out which server stands behind the address; give the new one a certificate of its own.";
    MxSplitBetweenSides "mx-split-between-sides":
        "Hosts of both sides have the same preference: part of the mail goes to each.";
        "Leave one side only at that preference.";
    MxTargetMissing "mx-target-missing":
        "An MX record names a host that does not exist or has no address.";
        "Add the address records, or correct the name; a name without a final dot lies below the zone.";
    MxTargetIsAlias "mx-target-is-alias":
        "An MX record names an alias (RFC 5321 5.1, RFC 2181 10.3): some senders do not deliver to it.";
        "Name the host behind the alias.";
    MxTargetIsAddress "mx-target-is-address":
        "An MX record holds an address where a name must stand.";
        "Give the address a name, and name that.";
    MxTargetIsLoopback "mx-target-is-loopback":
        "An MX host is the sender's own machine (loopback or an unspecified address).";
        "Remove the record; a domain without mail has the single record `MX 0 .` (RFC 7505).";
    MxTargetIsPrivate "mx-target-is-private":
        "An MX host has an address that the internet cannot reach.";
        "Publish the public address, and keep the private one to an inside view.";
    MxDuplicate "mx-duplicate":
        "The same host stands in the MX set twice.";
        "Remove one of the records.";
    MxVerificationLeftover "mx-verification-leftover":
        "An MX record under `msv1.invalid` once proved a domain to Microsoft 365; it takes no mail.";
        "Remove the record.";
    MxImplicit "mx-implicit":
        "There is no MX record, so that mail goes to the domain's own address (RFC 5321 5.1).";
        "Add the MX records of the design.";
    MxNone "mx-none":
        "There is neither an MX record nor an address: mail to the domain is returned.";
        "Add the MX records of the design, or `MX 0 .` where that is meant (RFC 7505).";
    NullMxUnexpected "null-mx-unexpected":
        "The domain says that it takes no mail, and the inventory says where its mail belongs.";
        "Replace `MX 0 .` by the MX records of the design.";
    NullMxPreference "null-mx-preference":
        "A null MX has a preference other than 0 (RFC 7505 3).";
        "Write `MX 0 .`.";
    NullMxNotAlone "null-mx-not-alone":
        "A null MX stands beside other MX records, which makes it a host without a name (RFC 7505 3).";
        "Remove the null MX, or everything else.";
    NullMxButSends "null-mx-but-sends":
        "The domain takes no mail, and its SPF record lets servers send in its name (RFC 7505 4.2).";
        "Publish `v=spf1 -all`, or take mail for the domain.";
    MxNotInDesign "mx-not-in-design":
        "An MX host is not one that the inventory wants for the domain.";
        "Remove the record, or add the host to the design.";
    MxHostUnknown "mx-host-unknown":
        "No platform of the inventory claims an MX host.";
        "Find out whose it is, and add it to a platform of the inventory; or remove the record.";
    MxDesignMissing "mx-design-missing":
        "A host that the design wants is not in the MX set.";
        "Add the record.";
    MxOrderDiffers "mx-order-differs":
        "The preferences put the hosts in another order than the design.";
        "Change the preferences.";
    BackupMissing "backup-missing":
        "The design requires a backup MX, and there is none.";
        "Add the record of the backup.";
    BackupUnexpected "backup-unexpected":
        "A host stands behind the first preference that the design does not have there.";
        "Remove the record.";
    MxTtlTooLong "mx-ttl-too-long":
        "Caches keep the records longer than a cutover should wait.";
        "Lower the TTL, and wait as long as the old one before the cutover.";
    MxStillPlanned "mx-already-new":
        "The cutover is only planned, and the MX set names the new platform already.";
        "Set the domain's phase in the inventory, or take the record back.";
    MxDiffersBetweenServers "mx-differs-between-servers":
        "Authoritative servers give different MX sets: senders see one or the other.";
        "Have every server load the same zone: look at zone transfers and the serial.";
    MxCachedElsewhere "mx-old-set-cached":
        "A cache still has an older MX set, and its TTL explains that.";
        "Wait until it has expired; keep the old hosts running until then.";
    MxDiffersFromAuthority "mx-differs-from-authority":
        "A resolver gives another MX set than the authoritative servers, and no TTL explains it.";
        "Look for a stale forward zone or a local override on that resolver.";
    MxDiffersBetweenViews "mx-differs-between-views":
        "Two views of DNS give different MX sets, and no cache explains it.";
        "Publish the same MX set in each view, or keep the difference in the design.";
    NsNotAuthoritative "ns-not-authoritative":
        "A server that the zone names does not answer with authority.";
        "Load the zone there, or remove the server from NS.";
    NsDiffersFromParent "ns-differs-from-parent":
        "The parent zone delegates to other servers than the zone names.";
        "Bring the delegation and the zone's NS records together.";
    NsAtLegacy "ns-at-legacy":
        "A name server of the domain belongs to the legacy platform.";
        "Move the zone before the old platform is switched off.";
    CohortDiffers "cohort-differs":
        "A domain looks unlike those that it moved with.";
        "Compare it with the others; it was probably forgotten.";
    HostUnreachable "mx-host-unreachable":
        "An MX host has an address at which no SMTP server answers.";
        "Start the server there, or remove the address.";
    HostTurnsAway "mx-host-turns-away":
        "An MX host does not let a session begin.";
        "Read its answer; senders see the same.";
    HostRefusesDomain "mx-host-refuses-domain":
        "An MX host does not accept mail for the domain.";
        "Add the domain to the host, or remove its MX record.";
    HostAcceptsAnyone "mx-host-accepts-anyone":
        "A host accepts a recipient that cannot exist: it will have to bounce, or it discards.";
        "Have it check recipients.";
    HostWithoutStarttls "mx-without-starttls":
        "An MX host does not offer encryption.";
        "Enable STARTTLS.";
    HostStarttlsFails "mx-starttls-fails":
        "An MX host offers encryption, and the handshake fails.";
        "Look at its certificate and protocol versions.";
    HostCertificate "mx-certificate-flawed":
        "The certificate of an MX host is not valid for it; senders that check do not deliver.";
        "Install a certificate for that name from a public authority.";
    OldHostAccepts "legacy-still-accepts":
        "A legacy host that no MX record names still accepts mail for the domain: whoever knows it delivers there.";
        "Remove the domain from the old server's local and relay domains.";
    SpfIncludesLegacy "spf-includes-legacy":
        "SPF includes a record of the legacy platform.";
        "Remove the `include`.";
    SpfNestedLegacy "spf-nested-legacy":
        "A record that SPF includes includes one of the legacy platform.";
        "Have it removed there.";
    SpfRedirectsToLegacy "spf-redirects-to-legacy":
        "SPF is that of the legacy platform, by `redirect`.";
        "Redirect to the record of the new platform.";
    SpfNamesLegacyAddress "spf-names-legacy-address":
        "SPF lists an address or network of the legacy platform.";
        "Remove it.";
    SpfCoversLegacy "spf-covers-legacy":
        "SPF lists a network that is wider than the legacy platform and holds it.";
        "List the networks that really send.";
    SpfNamesLegacyHost "spf-names-legacy-host":
        "SPF names a host of the legacy platform (`a`, `mx`, `ptr`, `exists`).";
        "Remove the mechanism, or name the new host.";
    SpfAllowsEverybody "spf-allows-everybody":
        "SPF lets every server send in the domain's name, the old ones among them.";
        "End the record with `-all` or `~all`.";
    SpfTooManyLookups "spf-too-many-lookups":
        "SPF needs more than ten lookups (RFC 7208 4.6.4): receivers take it for an error.";
        "Remove includes that nobody needs any more; those of the old platform first.";
    SpfTooManyVoids "spf-too-many-void-lookups":
        "More than two lookups of SPF find nothing (RFC 7208 4.6.4).";
        "Remove what leads nowhere.";
    SpfSeveral "spf-several-records":
        "There are several SPF records (RFC 7208 4.5): receivers take it for an error.";
        "Merge them into one.";
    SpfMalformed "spf-malformed":
        "SPF cannot be read.";
        "Correct the mechanism.";
    SpfLeadsNowhere "spf-leads-nowhere":
        "SPF includes a name that has no SPF record (RFC 7208 5.2): receivers take it for an error.";
        "Remove the mechanism.";
    SrvNamesLegacy "srv-names-legacy":
        "An SRV record sends mail clients to a legacy host (RFC 6186).";
        "Name the new host in the record.";
    SrvPrefersLegacy "srv-prefers-legacy":
        "An SRV record has mail clients try a legacy host first (RFC 6186).";
        "Remove the record.";
    AutoconfigAtLegacy "autoconfig-at-legacy":
        "The name `autoconfig` leads to the legacy platform, which tells clients their settings.";
        "Point the name at the new platform.";
    AutodiscoverAtLegacy "autodiscover-at-legacy":
        "The name `autodiscover` leads to the legacy platform, which tells clients their settings.";
        "Point the name at the new platform.";
    ClientNameAtLegacy "client-name-at-legacy":
        "A name that people have in their mail clients leads to the legacy platform.";
        "Point the name at the new platform.";
    AutoconfigDocument "autoconfig-names-legacy":
        "The autoconfig document (Thunderbird and others) names a legacy host.";
        "Replace the host in the document.";
    AutodiscoverDocument "autodiscover-names-legacy":
        "The autodiscover document (Outlook and others) names a legacy host.";
        "Replace the host in the document.";
    PaccDocument "pacc-names-legacy":
        "The PACC document (automatic account configuration) names a legacy host.";
        "Replace the host in the document.";
    DocumentRedirects "client-document-at-legacy":
        "A document for clients is fetched from the legacy platform by a redirect.";
        "Redirect to the new platform.";
    DkimAtLegacy "dkim-at-legacy":
        "A DKIM selector is an alias of a name of the legacy platform: whoever holds its key signs for the domain.";
        "Publish the new platform's key; remove the selector after mail signed with it has been read.";
    DkimMissing "dkim-missing":
        "There is no key at a DKIM selector of the inventory.";
        "Publish the key, or remove the selector from the inventory.";
    DmarcReportsToLegacy "dmarc-reports-to-legacy":
        "DMARC reports are sent to the legacy platform.";
        "Name a mailbox of the new platform in `rua` and `ruf`.";
    TlsrptReportsToLegacy "tlsrpt-reports-to-legacy":
        "TLS reports are sent to the legacy platform: what senders meet during the move is seen by nobody (RFC 8460).";
        "Name a mailbox of the new platform in `rua`.";
    StsRecordAtLegacy "sts-record-at-legacy":
        "The MTA-STS record is an alias of a name of the legacy platform, which decides its id.";
        "Publish the record in the domain's own zone, or delegate it to the new platform.";
    StsHostAtLegacy "sts-host-at-legacy":
        "The MTA-STS policy is served by the legacy platform.";
        "Serve the new policy first, then point `mta-sts` at that server, then change the id.";
    StsSplitControl "sts-split-control":
        "The MTA-STS record and the policy host are in different hands: who changes one cannot change the other.";
        "Delegate both to the same party.";
    StsRecordInvalid "sts-record-invalid":
        "The TXT records at `_mta-sts` announce no policy, by the letter of RFC 8461 3.1.";
        "Publish exactly one record such as `v=STSv1; id=20261121`.";
    StsPolicyUnusable "sts-policy-unusable":
        "A policy is announced, and an address of the policy host serves none that a strict sender takes (RFC 8461 3.3).";
        "Serve it with status 200, as text/plain, under a certificate for that name, at every address.";
    StsPolicyDiffers "sts-policy-differs":
        "Addresses of the policy host serve different policies.";
        "Serve the same policy at every address, then change the id of the record.";
    StsPolicyListsLegacy "sts-policy-lists-legacy":
        "The MTA-STS policy lists a host of the legacy platform, which no MX record names any more.";
        "Take the line out of the policy, serve it, then change the id of the record.";
    StsPolicyAdmitsLegacy "sts-policy-admits-legacy":
        "A wildcard of the MTA-STS policy is wide enough for a host of the legacy platform.";
        "List the hosts by name.";
    StsPolicyMissesMx "sts-policy-misses-mx":
        "An MX host is not covered by the MTA-STS policy: senders that enforce it do not deliver there (RFC 8461 5).";
        "Add the host to the policy, serve it, then change the id of the record.";
    StsPolicyMxUnused "sts-policy-mx-unused":
        "The MTA-STS policy lists a host that is not in the MX set.";
        "Take the line out of the policy, or add the MX record that it was meant for.";
    StsPolicyWithNullMx "sts-policy-with-null-mx":
        "The domain takes no mail and still has an MTA-STS policy.";
        "Serve `mode: none`, and remove policy and record after the longest max_age (RFC 8461 8.3).";
    TlsaLegacyKey "tlsa-names-legacy-key":
        "A TLSA record of an MX host matches a key of the legacy platform (RFC 7672).";
        "Remove the record once the new key's is there and twice the TTL has passed.";
    ZoneNotRead "zone-not-read-whole":
        "A zone file takes in other files that were not given.";
        "Give them with `--zone`.";
}
