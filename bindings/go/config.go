//go:build cgo

package factor2

import "time"

// Config holds the settings of an [Authenticator]. Only Issuer is required: the zero value of any other
// stands for its default.
type Config struct {
	// Your service's name as apps show it: 1 to 255 bytes, no colon, nothing that cannot be seen. Blanks
	// around it are dropped.
	Issuer string `json:"issuer,omitempty"`
	// The factor's name in crossauth; [Authenticator.PrepareConfiguration] needs it.
	FactorName string `json:"factor_name,omitempty"`
	// What users are shown when they choose a factor; by default "Authenticator app".
	FriendlyName string `json:"friendly_name,omitempty"`
	// "SHA1", which is the default, "SHA256" or "SHA512"; many apps know SHA1 only.
	Algorithm string `json:"algorithm,omitempty"`
	// Digits of a code: 6 to 8, by default 6.
	Digits int `json:"digits,omitempty"`
	// How long one code is the current one: whole seconds from 15 to 120, by default 30.
	Period time.Duration `json:"-"`
	// Which steps beside the current one are accepted; by default one on each side.
	Window *Window `json:"window,omitempty"`
	// With TypeHOTP, how many counters after the last accepted one count: 1 to 50, by default 10.
	LookAhead int `json:"look_ahead,omitempty"`
	// Length of new secrets in bytes: 16 to 64, by default 20.
	SecretBytes int `json:"secret_bytes,omitempty"`
	// How QR codes look.
	QR QR `json:"qr"`
	// Who remembers accepted codes and counts wrong ones; by default this process, in its memory.
	Guard *Guard `json:"-"`
	// The keys that seal and open stored secrets; by default there are none.
	Seal *Seal `json:"seal,omitempty"`
	// For tests: the time at which the clock stands. By default it is the system's clock.
	FixedTime time.Time `json:"-"`
}

// Seal holds the keys by which stored secrets are sealed, so that who reads the database has no codes. It is
// not printed. Keep the keys apart from the database.
type Seal struct {
	// 1 to 16 keys of 32 random bytes, by their names: 1 to 32 letters, digits, '-' and '_'.
	Keys map[string][]byte `json:"keys"`
	// The name of the key that seals; all of them open.
	Use string `json:"use"`
	// "accept", which is the default, or "refuse": secrets that are not sealed.
	Plain string `json:"plain,omitempty"`
}

// String gives the name of the key in use.
func (seal Seal) String() string { return "Seal{Use: " + seal.Use + "}" }

// GoString gives what String does.
func (seal Seal) GoString() string { return seal.String() }

// Retry lets a call be repeated that was accepted, see [VerifyRequest]. Zeros stand for the defaults.
type Retry struct {
	// For how long, in whole seconds up to one hour; by default 30 seconds.
	TTL time.Duration `json:"-"`
	// How often: at most 100 times, by default 5.
	Limit int `json:"limit,omitempty"`
}

// Window tells how many steps before and after the current one are accepted, 0 to 2 each. There are no
// defaults in it: &Window{} accepts the current step only.
type Window struct {
	Past   int `json:"past"`
	Future int `json:"future"`
}

// QR tells how QR codes look.
type QR struct {
	// Pixels per module: 1 to 32, by default 10.
	ModulePx int `json:"module_px,omitempty"`
	// Light modules around the symbol: 0 to 16, by default 5. Scanners want 4.
	QuietZone *int `json:"quiet_zone,omitempty"`
	// "L", "M", "Q" or "H": 7, 15, 25 or 30 % of the symbol may be unreadable. By default "M".
	ErrorCorrection string `json:"error_correction,omitempty"`
	// Colors with a contrast of at least 3:1; by default "#000000" on "#ffffff".
	Dark  string `json:"dark,omitempty"`
	Light string `json:"light,omitempty"`
	// A PNG to be shown in the middle, at most 1024 pixels wide and high. It raises ErrorCorrection to "H".
	Logo []byte `json:"logo,omitempty"`
}

// The guard's stores.
const (
	StoreMemory = "memory" // this process
	StoreSQLite = "sqlite" // all processes of one machine
	StoreRedis  = "redis"  // a fleet; also Valkey
	StoreNone   = "none"   // the caller keeps the last step, see [VerifyRequest]
)

// Guard tells who remembers accepted codes and counts wrong ones, and when wrong codes have
// consequences. Store is required; which other members belong to which store is said with them.
type Guard struct {
	// StoreMemory, StoreSQLite, StoreRedis or StoreNone.
	Store string `json:"store,omitempty"`
	// How many wrong codes in a row lock the credential, longer each time; by default 5. Not for StoreNone.
	Soft int `json:"soft,omitempty"`
	// How many wrong codes in a row disable it: at most 100, by default 33. Not for StoreNone.
	Hard int `json:"hard,omitempty"`
	// The first lock, in whole seconds; by default 30 seconds. Not for StoreNone.
	BaseDelay time.Duration `json:"-"`
	// The longest lock, in whole seconds; by default one hour. Not for StoreNone.
	MaxDelay time.Duration `json:"-"`
	// Whether a call that was accepted may be repeated; by default none. Not for StoreNone.
	Retry *Retry `json:"-"`
	// StoreMemory: how many records there is room for; by default 100,000.
	MaxRecords int `json:"max_records,omitempty"`
	// StoreSQLite and StoreRedis: the longest that a call may wait for the store, in whole milliseconds
	// from 10 to 5000; by default one second.
	Budget time.Duration `json:"-"`
	// StoreSQLite: the file, whose folder only its owner may write. Required.
	Path string `json:"path,omitempty"`
	// StoreSQLite: whether to make the file if it is missing.
	Create bool `json:"create,omitempty"`
	// StoreSQLite: "FULL", which is the default, or "NORMAL", which is many times faster, and with which a power
	// failure may forget the last codes.
	Synchronous string `json:"synchronous,omitempty"`
	// StoreSQLite: "refuse", which is the default, or "trust": a group that the process is in may write as well, as
	// in volumes of containers.
	Group string `json:"group,omitempty"`
	// StoreSQLite: "refuse", which is the default, or "trust": the folder may be on a file system that machines
	// share, such as NFS or FUSE, if only one machine uses it.
	FileSystem string `json:"filesystem,omitempty"`
	// StoreRedis: one URL, redis://, rediss:// (TLS) or unix:// with user, password and database as usual, for
	// one server; several for a cluster; or redis-sentinel://user:password@host,host/name
	// (rediss-sentinel:// with TLS). Required.
	URLs []string `json:"-"`
	// StoreRedis: whether one URL is that of a cluster's node, as several are anyway.
	Cluster bool `json:"-"`
	// StoreRedis: what its keys begin with; by default "factor2:".
	Prefix string `json:"prefix,omitempty"`
	// StoreRedis: how many calls of this process may be under way at once, each on a connection: 1 to 1024, by
	// default 64.
	MaxConnections int `json:"max_connections,omitempty"`
	// StoreRedis: a PEM file of the authorities to trust, or "system". Required with TLS.
	CAFile string `json:"ca_file,omitempty"`
	// StoreRedis: PEM files of a certificate and its key, for a server that wants one. Nobody but its owner
	// may read the key.
	CertFile string `json:"cert_file,omitempty"`
	KeyFile  string `json:"key_file,omitempty"`
	// StoreRedis: if the Sentinels want them.
	SentinelUser     string `json:"sentinel_user,omitempty"`
	SentinelPassword string `json:"sentinel_password,omitempty"`
}

// The settings as the library reads them.
func (config *Config) wire() any {
	type plain Config
	wire := struct {
		*plain
		Period    float64 `json:"period,omitempty"`
		Guard     any     `json:"guard,omitempty"`
		FixedTime *int64  `json:"fixed_time,omitempty"`
	}{plain: (*plain)(config), Period: config.Period.Seconds()}
	if config.Guard != nil {
		wire.Guard = config.Guard.wire()
	}
	if !config.FixedTime.IsZero() {
		seconds := config.FixedTime.Unix()
		wire.FixedTime = &seconds
	}
	return wire
}

// Durations with a fraction go as they are: the library refuses them, by the setting's name.
func (guard *Guard) wire() any {
	type plain Guard
	var url any
	switch {
	case len(guard.URLs) > 1 || guard.Cluster:
		url = guard.URLs
	case len(guard.URLs) == 1:
		url = guard.URLs[0]
	}
	var retry any
	if guard.Retry != nil {
		retry = struct {
			Retry
			TTL float64 `json:"ttl_s,omitempty"`
		}{*guard.Retry, guard.Retry.TTL.Seconds()}
	}
	return struct {
		*plain
		Retry     any     `json:"retry,omitempty"`
		URL       any     `json:"url,omitempty"`
		BaseDelay float64 `json:"base_delay_s,omitempty"`
		MaxDelay  float64 `json:"max_delay_s,omitempty"`
		Budget    float64 `json:"budget_ms,omitempty"`
	}{
		(*plain)(guard),
		retry,
		url,
		guard.BaseDelay.Seconds(),
		guard.MaxDelay.Seconds(),
		float64(guard.Budget) / float64(time.Millisecond),
	}
}
