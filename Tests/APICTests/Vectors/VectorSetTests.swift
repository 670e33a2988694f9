import APIC
import Testing

@Suite struct VectorSetTests {
  @Test func `an empty set has no highest and no lowest vector`() {
    let vectors = VectorSet()
    #expect(vectors.isEmpty)
    #expect(vectors.count == 0)
    #expect(vectors.highest == nil)
    #expect(vectors.lowest == nil)
    #expect(vectors.description == "{}")
  }

  @Test(arguments: 0...UInt8.max)
  func `each of the 256 vectors can be put in and taken out`(number: UInt8) {
    let vector = Vector(rawValue: number)
    var vectors = VectorSet()
    vectors.insert(vector)
    #expect(vectors.contains(vector))
    #expect(vectors.count == 1)
    #expect(vectors.highest == vector)
    #expect(vectors.lowest == vector)
    #expect(vectors[word: Int(number) / 32] == 1 << (number % 32))

    vectors.remove(vector)
    #expect(vectors.isEmpty)
  }

  @Test func `the members come in ascending order, whatever the order they went in`() {
    let vectors: VectorSet = [0x70, 0x30, 0xff, 0x00, 0x40, 0x3f]
    #expect(Array(vectors) == [0x00, 0x30, 0x3f, 0x40, 0x70, 0xff])
    #expect(vectors.highest == 0xff)
    #expect(vectors.lowest == 0x00)
  }

  @Test func `a full set has 256 members`() {
    let vectors = VectorSet((0...UInt8.max).lazy.map(Vector.init(rawValue:)))
    #expect(vectors.count == 256)
    #expect(Array(vectors).count == 256)
  }

  @Test func `putting a member in again and taking a stranger out change nothing`() {
    var vectors: VectorSet = [0x30]
    vectors.insert(0x30)
    vectors.remove(0x31)
    #expect(vectors == [0x30])
  }

  @Test func `two sets combine as sets do`() {
    let left: VectorSet = [0x20, 0x80, 0xf0]
    let right: VectorSet = [0x80, 0x81]
    #expect(left.union(right) == [0x20, 0x80, 0x81, 0xf0])
    #expect(left.intersection(right) == [0x80])
    #expect(left.subtracting(right) == [0x20, 0xf0])
    #expect(left.symmetricDifference(right) == [0x20, 0x81, 0xf0])
  }

  @Test func `a 32-bit register holds 32 vectors and leaves its neighbour alone`() {
    var vectors: VectorSet = [0x20, 0x5f]
    vectors[word: 1] = 0x8000_0001
    #expect(vectors == [0x20, 0x3f, 0x5f])
    #expect(vectors[word: 2] == 0x8000_0000)

    vectors[word: 1] = 0
    #expect(vectors == [0x5f])
  }

  @Test func `sets with the same members are equal and hash alike`() {
    var vectors: VectorSet = [0x30, 0x70, 0x90]
    vectors.remove(0x90)
    #expect(Set([vectors, [0x70, 0x30]]).count == 1)
    #expect(vectors != [0x30])
  }

  @Test func `a set is written with its vectors in braces`() {
    #expect(VectorSet([0x70, 0x30]).description == "{0x30, 0x70}")
  }
}
