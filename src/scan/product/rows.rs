//! The table of products whose settings are single values. The first row that knows a file and a key
//! decides; rows of one file share their reader.

use super::table::{Counts, Reader, Row, When};
use crate::scan::setting::Role;

use Counts::{Each, First, Last};
use Reader::{Blocks, Env, Hash, Ini, Lua, Php, Prefs, Properties, Script, Words, Xml, Yaml};
use Role::{Address, Client, Fallback, NextHop, Redirect};

type Keys = &'static [(&'static str, Role)];

const fn row(product: &'static str, files: &'static [&'static str], reader: Reader, keys: Keys) -> Row {
    let counts = match reader {
        Yaml | Xml | Blocks => Each,
        _ => Last,
    };
    Row { product, files, reader, keys, when: &[], counts }
}

const fn switched(row: Row, when: &'static [When]) -> Row {
    Row { when, ..row }
}

const fn counted(row: Row, counts: Counts) -> Row {
    Row { counts, ..row }
}

/// The switch must be one of these; it is `default` where it is not written.
const fn is(key: &'static str, is: &'static [&'static str], default: &'static str) -> When {
    When { key, is, not: &[], default }
}

/// The switch must be none of these.
const fn not(key: &'static str, not: &'static [&'static str]) -> When {
    When { key, is: &[], not, default: "" }
}

const ON: &[&str] = &["true", "1", "yes", "on", "'1'"];

/// Every product, those with a more specific file first.
pub(super) const ROWS: &[Row] = &[
    // programs that hand mail on
    row("ssmtp", &["ssmtp.conf"], Ini, &[("mailhub", NextHop)]),
    row("dma", &["dma.conf"], Words, &[("smarthost", NextHop)]),
    counted(row("esmtp", &["esmtprc", ".esmtprc"], Words, &[("hostname", NextHop)]), Each),
    row("mailx", &["mail.rc", "s-nail.rc", "nail.rc", ".mailrc"], Words, &[("mta", NextHop), ("smtp", NextHop)]),
    row("mailutils", &["mailutils.conf", ".mailutils", "mailutils.d/*"], Blocks, &[("*mailer.url", NextHop)]),
    row(
        "maddy",
        &["maddy.conf", "maddy/*.conf"],
        Blocks,
        &[
            ("*target.smtp*.targets", NextHop),
            ("*target.lmtp*.targets", NextHop),
            ("*smtp*.targets", NextHop),
            ("*deliver_to", NextHop),
        ],
    ),
    row(
        "kumomta",
        &["*.lua"],
        Lua,
        &[("*mx_list*", NextHop), ("*routing_domain*", NextHop), ("*smart_host*", NextHop)],
    ),
    row(
        "dovecot",
        &["dovecot.conf", "dovecot/*.conf", "dovecot/conf.d/*"],
        Blocks,
        &[("*submission_relay_host", NextHop), ("*submission_host", NextHop), ("*sendmail_path", NextHop)],
    ),
    row(
        "amavis",
        &["amavis/conf.d/*", "amavisd.conf"],
        Hash,
        &[("forward_method", NextHop), ("notify_method", NextHop)],
    ),
    // control panels and applications in PHP
    switched(
        counted(row("wordpress", &["wp-config*.php"], Php, &[("*define.wpms_smtp_host", NextHop)]), First),
        &[is("/*define.wpms_on", ON, "false"), is("/*define.wpms_mailer", &["smtp"], "smtp")],
    ),
    switched(
        row(
            "nextcloud",
            &["config/config.php", "config/*.config.php", "nextcloud/*.php", "owncloud/*.php"],
            Php,
            &[("*mail_smtphost", NextHop)],
        ),
        &[is("mail_smtpmode", &["smtp"], "smtp")],
    ),
    row("moodle", &["config.php"], Php, &[("cfg.smtphosts", NextHop)]),
    row(
        "laravel",
        &["config/mail.php", "bootstrap/cache/config.php"],
        Php,
        &[("*host*", NextHop), ("*mail*url*", NextHop)],
    ),
    switched(
        row(
            "drupal",
            &["settings.php", "settings.local.php", "settings*.php"],
            Php,
            &[
                ("*smtp.settings.smtp_hostbackup", Fallback),
                ("*smtp.settings.smtp_host", NextHop),
                ("*mailer*dsn*", NextHop),
            ],
        ),
        &[not("smtp_on", &["false", "0", "off"])],
    ),
    switched(
        row("drupal", &["smtp.settings.yml"], Yaml, &[("smtp_hostbackup", Fallback), ("smtp_host", NextHop)]),
        &[not("smtp_on", &["false", "0", "off"])],
    ),
    switched(row("joomla", &["configuration.php"], Php, &[("*smtphost", NextHop)]), &[is("mailer", &["smtp"], "mail")]),
    switched(
        row(
            "magento",
            &["etc/env.php", "etc/config.php"],
            Php,
            &[("*system*smtp.host", NextHop), ("*smtp*host", NextHop)],
        ),
        &[not("disable", &["1", "true"])],
    ),
    row("mediawiki", &["LocalSettings.php"], Php, &[("wgsmtp.host", NextHop)]),
    row(
        "roundcube",
        &["config.inc.php", "defaults.inc.php", "roundcube/*.php"],
        Php,
        &[("*config.smtp_host*", NextHop), ("*config.smtp_server*", NextHop)],
    ),
    row("symfony", &[".env.local.php"], Php, &[("*mailer_dsn", NextHop), ("*mailer_url", NextHop)]),
    row("php", &["*.php", "*.phtml", "*.inc"], Php, &[("*mailer_dsn", NextHop), ("*ini_set.smtp", NextHop)]),
    row(
        "php",
        &["php.ini", "php/*.ini", ".user.ini", "pool.d/*.conf", "php-fpm.d/*.conf"],
        Ini,
        &[("*sendmail_path", NextHop), ("php_admin_value[sendmail_path*", NextHop)],
    ),
    row("php", &[".htaccess"], Words, &[("php_value", NextHop), ("php_admin_value", NextHop)]),
    // applications in other languages
    switched(
        row("django", &["settings*.py", "settings/*.py"], Hash, &[("*email_host", NextHop), ("*email_url", NextHop)]),
        &[not("/*email_backend", &["*console*", "*dummy*", "*filebased*", "*locmem*"])],
    ),
    row("flask", &["*.py"], Hash, &[("*mail_server", NextHop), ("*email_host", NextHop), ("*smtplib.smtp*", NextHop)]),
    switched(
        row("gitlab", &["gitlab.rb"], Hash, &[("gitlab_rails.smtp_address", NextHop)]),
        &[is("smtp_enable", ON, "false")],
    ),
    row("gitlab", &["gitlab-rails/*.rb"], Hash, &[("*smtp_settings*address*", NextHop)]),
    switched(
        row("rails", &["*.rb"], Hash, &[("*smtp_settings*address*", NextHop), ("*smtp_settings*host", NextHop)]),
        &[not("/*delivery_method", &["*sendmail*", "*test*", "*file*", "*letter_opener*"])],
    ),
    row(
        "redmine",
        &["configuration.yml"],
        Yaml,
        &[("*email_delivery.smtp_settings.address", NextHop), ("*smtp_settings.address", NextHop)],
    ),
    counted(
        row(
            "thunderbird",
            &["prefs.js", "user.js", "mozilla.cfg", "autoconfig.cfg", "thunderbird*.cfg", "defaults/pref/*.js"],
            Prefs,
            &[("*mail.smtpserver.*.hostname", Client)],
        ),
        Last,
    ),
    row(
        "nodemailer",
        &["*.js", "*.ts", "*.mjs", "*.cjs"],
        Script,
        &[
            ("*createtransport*host", NextHop),
            ("*createtransport", NextHop),
            ("*smtp.host", NextHop),
            ("*transport.host", NextHop),
            ("*mail*.smtp_host", NextHop),
        ],
    ),
    row(
        "spring",
        &["application*.properties", "bootstrap*.properties"],
        Properties,
        &[("*spring.mail.host", NextHop), ("*mail.smtp.host", NextHop)],
    ),
    row(
        "java",
        &["*.properties"],
        Properties,
        &[("*mail.smtp.host", NextHop), ("*mail.host", NextHop), ("*smtp.host", NextHop)],
    ),
    row(
        "spring",
        &["application*.yml", "application*.yaml", "bootstrap*.yml", "bootstrap*.yaml"],
        Yaml,
        &[("*spring.mail.host", NextHop)],
    ),
    switched(
        row(
            "dotnet",
            &["web.config", "app.config", "machine.config", "*.exe.config", "Web.config", "App.config"],
            Xml,
            &[("*mailsettings.smtp*.network.@host", NextHop)],
        ),
        &[not("/*mailsettings.smtp*.@deliverymethod", &["specifiedpickupdirectory", "pickupdirectoryfromiis"])],
    ),
    row(
        "dotnet",
        &["appsettings*.json", "secrets.json"],
        Script,
        &[
            ("*smtp*host", NextHop),
            ("*smtp*server", NextHop),
            ("*smtp*address", NextHop),
            ("*mailsettings*.host", NextHop),
            ("*mail*.smtpserver", NextHop),
            ("*mail*.host", NextHop),
            ("*mail*.server", NextHop),
        ],
    ),
    row("keycloak", &["*realm*.json"], Script, &[("*smtpserver.host", NextHop)]),
    row("exchange", &["*connector*.json"], Script, &[("*smarthosts*", NextHop)]),
    switched(
        counted(row("exchange", &["*connector*.txt"], Ini, &[("*smarthosts", NextHop)]), Each),
        &[not("/enabled", &["false"]), not("/dnsroutingenabled", &["true"]), not("/usemxrecord", &["true"])],
    ),
    row("exchange", &["*connector*.xml", "*.clixml"], Xml, &[("*lst.s", NextHop)]),
    switched(
        row("gitea", &["app.ini"], Ini, &[("mailer.smtp_addr", NextHop), ("mailer.host", NextHop)]),
        &[
            is("enabled", ON, "false"),
            not("protocol", &["sendmail", "dummy"]),
            not("mailer_type", &["sendmail", "dummy"]),
        ],
    ),
    switched(
        row(
            "grafana",
            &["grafana.ini", "grafana/*.ini", "conf/custom.ini", "conf/defaults.ini"],
            Ini,
            &[("smtp.host", NextHop)],
        ),
        &[is("enabled", ON, "false")],
    ),
    row("odoo", &["odoo.conf", ".odoorc", "odoo*.conf"], Ini, &[("*smtp_server", NextHop)]),
    row("airflow", &["airflow.cfg"], Ini, &[("smtp.smtp_host", NextHop)]),
    row("mailman", &["mailman.cfg", "mm_cfg.py"], Ini, &[("mta.smtp_host", NextHop), ("smtphost", NextHop)]),
    row("discourse", &["discourse.conf"], Ini, &[("smtp_address", NextHop)]),
    row("alpine", &[".pinerc", "pine.conf", "pine.conf.fixed"], Ini, &[("smtp-server", NextHop)]),
    counted(row("aerc", &["aerc/accounts.conf"], Ini, &[("*outgoing", Client)]), Last),
    row("git", &[".gitconfig", ".git/config", "gitconfig", "git/config"], Ini, &[("sendemail*.smtpserver", NextHop)]),
    row(
        "stunnel",
        &["stunnel/*.conf", "stunnel.conf"],
        Ini,
        &[("*smtp*.connect", NextHop), ("*mail*.connect", NextHop), ("*submission*.connect", NextHop)],
    ),
    row(
        "dnsmasq",
        &["dnsmasq.conf", "dnsmasq.d/*"],
        Ini,
        &[
            ("address", Redirect),
            ("host-record", Redirect),
            ("cname", Redirect),
            ("mx-host", Redirect),
            ("mx-target", Redirect),
        ],
    ),
    switched(
        row("sogo", &["sogo.conf"], Script, &[("*sogosmtpserver", NextHop)]),
        &[not("/*sogomailingmechanism", &["sendmail"])],
    ),
    row(
        "mutt",
        &[".muttrc", "muttrc", "neomuttrc", ".neomuttrc", "Muttrc*", ".mutt/*", "mutt/*", "neomutt/*"],
        Words,
        &[("smtp_url", Client)],
    ),
    row("reportbug", &["reportbug.conf", ".reportbugrc"], Words, &[("smtphost", Client)]),
    // XML
    row(
        "jenkins",
        &["hudson.tasks.Mailer.xml", "hudson.plugins.emailext*.xml"],
        Xml,
        &[("*smtphost", NextHop), ("*smtpserver", NextHop)],
    ),
    row("autodiscover", &["autodiscover.xml", "Autodiscover.xml"], Xml, &[("*protocol[smtp].server", Client)]),
    row(
        "autoconfig",
        &["config-v1.1.xml", "autoconfig/*.xml", "autoconfig.xml"],
        Xml,
        &[("*outgoingserver[smtp].hostname", Client)],
    ),
    row("mobileconfig", &["*.mobileconfig"], Xml, &[("*outgoingmailserverhostname", Client)]),
    row("zabbix", &["*.xml"], Xml, &[("*media_type*smtp_server", NextHop)]),
    // YAML
    row(
        "alertmanager",
        &["alertmanager*.yml", "alertmanager*.yaml", "alertmanager/*.yml"],
        Yaml,
        &[("*smtp_smarthost", NextHop), ("*email_configs*smarthost", NextHop)],
    ),
    row("sentry", &["sentry/config.yml"], Yaml, &[("mail.host", NextHop)]),
    row(
        "symfony",
        &["packages/*mailer*.yaml", "packages/*mailer*.yml"],
        Yaml,
        &[("*mailer.dsn", NextHop), ("*mailer.transports*", NextHop)],
    ),
    row(
        "zabbix",
        &["*export*.yaml", "*export*.yml", "*zabbix*.yaml", "*zabbix*.yml"],
        Yaml,
        &[("*smtp_server", NextHop)],
    ),
    row("compose", &["docker-compose*.yml", "docker-compose*.yaml", "compose*.yml", "compose*.yaml"], Yaml, &[]),
    row("discourse", &["containers/*.yml"], Yaml, &[("*env.discourse_smtp_address", NextHop)]),
    row(
        "yaml",
        &["*.yml", "*.yaml"],
        Yaml,
        &[
            ("*smtp_smarthost", NextHop),
            ("*email_configs*smarthost", NextHop),
            ("*spring.mail.host", NextHop),
            ("*unclassified*smtphost", NextHop),
            ("*mailer.dsn", NextHop),
        ],
    ),
    // environments
    row("systemd", &["*.service", "*.service.d/*.conf", "*.timer", "systemd/*.conf"], Ini, &[]),
    row(
        "environment",
        &[".env", ".env.*", "*.env", "environment", "etc/default/*", "etc/sysconfig/*", "environment.d/*", "environ"],
        Env,
        &[("mailto", Address)],
    ),
    // whatever else is made of values with names
    row("json", &["*.json", "*.jsonc"], Script, &[("*smtpserver.host", NextHop), ("*createtransport*host", NextHop)]),
    row("toml", &["*.toml"], Ini, &[]),
    row(
        "xml",
        &["*.xml", "*.config"],
        Xml,
        &[("*smtphost", NextHop), ("*smtpserver", NextHop), ("*smtp_server", NextHop)],
    ),
    row("ini", &["*.ini", "*.cnf", "*.cfg"], Ini, &[]),
];
