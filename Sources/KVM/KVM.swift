import CKVM

/// The KVM API version that this library speaks (KVM API, section 4.1, KVM_GET_API_VERSION).
public let apiVersion = Int(KVM_API_VERSION)
