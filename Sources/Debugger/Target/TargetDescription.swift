/// What gdb is told of the registers (Debugging with GDB, "Target Description Format", "i386 Features").
///
/// It is that of a 64-bit processor in every mode: gdb cannot change it while it is connected, and a guest changes its mode.
public enum TargetDescription {
  /// The document that gdb asks for.
  public static let annex = "target.xml"

  /// Its text.
  public static let text: String = {
    var lines = [
      "<?xml version=\"1.0\"?>", "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">", "<target>",
      "<architecture>i386:x86-64</architecture>",
    ]
    for feature in TargetRegister.Feature.allCases {
      lines.append("<feature name=\"\(feature.rawValue)\">")
      lines += types(of: feature)
      for register in TargetRegister.all where register.feature == feature {
        lines.append(element(register))
      }
      lines.append("</feature>")
    }
    return (lines + ["</target>"]).joined(separator: "\n")
  }()

  private static func element(_ register: TargetRegister) -> String {
    // gdb's own group for what `info registers` shows, or for `info float` and `info vector`.
    let group = register.type == "int" ? " group=\"float\"" : ""
    return "<reg name=\"\(register.name)\" bitsize=\"\(8 * register.size)\" type=\"\(register.type)\"\(group)/>"
  }

  private static func types(of feature: TargetRegister.Feature) -> [String] {
    switch feature {
    case .core: return [flags("i386_eflags", size: 4, eflags)]
    case .sse:
      let vectors = [
        ("v4f", "ieee_single", 4), ("v2d", "ieee_double", 2), ("v16i8", "int8", 16), ("v8i16", "int16", 8),
        ("v4i32", "int32", 4), ("v2i64", "int64", 2),
      ]
      let fields = [
        ("v4_float", "v4f"), ("v2_double", "v2d"), ("v16_int8", "v16i8"), ("v8_int16", "v8i16"),
        ("v4_int32", "v4i32"), ("v2_int64", "v2i64"), ("uint128", "uint128"),
      ]
      return vectors.map { "<vector id=\"\($0.0)\" type=\"\($0.1)\" count=\"\($0.2)\"/>" }
        + ["<union id=\"vec128\">"] + fields.map { "<field name=\"\($0.0)\" type=\"\($0.1)\"/>" } + ["</union>"]
        + [flags("i386_mxcsr", size: 4, mxcsr)]
    case .segments, .system: return []
    }
  }

  private static func flags(_ id: String, size: Int, _ fields: [(name: String, bits: ClosedRange<Int>)]) -> String {
    let lines = fields.map { name, bits in
      "<field name=\"\(name)\" start=\"\(bits.lowerBound)\" end=\"\(bits.upperBound)\"/>"
    }
    return (["<flags id=\"\(id)\" size=\"\(size)\">"] + lines + ["</flags>"]).joined(separator: "\n")
  }

  /// SDM volume 1, section 3.4.3. A name that gdb reads as empty is that of bit 1, which is always 1.
  private static let eflags: [(name: String, bits: ClosedRange<Int>)] = [
    ("CF", 0...0), ("", 1...1), ("PF", 2...2), ("AF", 4...4), ("ZF", 6...6), ("SF", 7...7), ("TF", 8...8),
    ("IF", 9...9), ("DF", 10...10), ("OF", 11...11), ("IOPL", 12...13), ("NT", 14...14), ("RF", 16...16),
    ("VM", 17...17), ("AC", 18...18), ("VIF", 19...19), ("VIP", 20...20), ("ID", 21...21),
  ]

  /// SDM volume 1, section 10.2.3.
  private static let mxcsr: [(name: String, bits: ClosedRange<Int>)] = [
    ("IE", 0...0), ("DE", 1...1), ("ZE", 2...2), ("OE", 3...3), ("UE", 4...4), ("PE", 5...5), ("DAZ", 6...6),
    ("IM", 7...7), ("DM", 8...8), ("ZM", 9...9), ("OM", 10...10), ("UM", 11...11), ("PM", 12...12), ("FZ", 15...15),
  ]
}
