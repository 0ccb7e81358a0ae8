using Polymath.Files;
using Xunit;

namespace Polymath.Tests.Files;

/// <summary>One file for each rule, right but for that rule.</summary>
public sealed class GgufRefusalTests
{
    private static readonly ulong[] HostileCounts = [ulong.MaxValue, 1UL << 63, uint.MaxValue, int.MaxValue, 1000];

    [Fact]
    public void Other_files_and_other_versions_are_refused_by_name()
    {
        Assert.Contains("too few", Refused([]));
        Assert.Contains("not a GGUF file", Refused(new byte[64]));
        Assert.Contains("version 1 ", Refused(new GgufBytes().Head(0, 0, 1).ToArray()));
        Assert.Contains("version 4 ", Refused(new GgufBytes().Head(0, 0, 4).ToArray()));
        Assert.Contains("version 0 ", Refused(new GgufBytes().Head(0, 0, 0).ToArray()));
        Assert.Contains("big-endian", Refused(new GgufBytes().Head(0, 0, 0x03000000).ToArray()));
    }

    [Fact]
    public void Counts_are_bounded_by_the_bytes_left()
    {
        foreach (ulong count in HostileCounts)
        {
            Refused(new GgufBytes().Head(count, 0).Data(64));
            Refused(new GgufBytes().Head(0, count).Data(64));
            Refused(new GgufBytes().Head(0, 1).U64(count).Data(64));
            Refused(Keys(1).Key("k", MetadataType.String).U64(count).Data(64));
            foreach (MetadataType type in Enum.GetValues<MetadataType>())
                Refused(Keys(1).Key("k", MetadataType.Array).ArrayOf(type, count).Data(96));
        }

        Refused(Keys(1).Key("k", MetadataType.Array).ArrayOf(MetadataType.UInt64, 9).Data(64));
        Refused(Keys(1).Key("k", MetadataType.Array).ArrayOf(MetadataType.Array, 6).Data(64));
    }

    [Fact]
    public void A_count_above_the_limit_is_refused_even_where_the_bytes_are_there()
    {
        byte[] zeros = new byte[FileLimits.ArrayLength + 2];
        Assert.Contains("limit", Refused(Keys(1).Key("k", MetadataType.Array).ArrayOf(MetadataType.Int8, FileLimits.ArrayLength + 1).Raw(zeros)));
        Assert.Contains("limit", Refused(new GgufBytes().Head(0, FileLimits.Keys + 1).Raw(zeros)));
        Assert.Contains("limit", Refused(new GgufBytes().Head(FileLimits.Tensors + 1, 0).Raw(zeros)));
        Assert.Contains("limit", Refused(new GgufBytes().Head(0, 1).Text(new string('k', FileLimits.KeyBytes + 1)).U32(0).Raw(1)));
        Assert.Contains("limit", Refused(OneTensor(new string('t', FileLimits.TensorNameBytes + 1))));
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused()
    {
        byte[] whole = GgufBytes.Everything().ToArray();
        for (int length = 0; length < whole.Length; length++)
            Refused(whole[..length]);
    }

    [Fact]
    public void Keys_must_be_text_and_unique()
    {
        Assert.Contains("twice", Refused(Keys(2).Key("k", MetadataType.Bool).Raw(0).Key("k", MetadataType.Bool).Raw(1)));
        Refused(Keys(1).Key("", MetadataType.Bool).Raw(0).Data(8));
        Refused(Keys(1).Key("a\0b", MetadataType.Bool).Raw(0));
        Refused(new GgufBytes().Head(0, 1).Text([0xC3, 0x28]).U32(0).Raw(1, 2, 3, 4));
    }

    [Fact]
    public void Values_must_be_of_a_known_type_and_in_its_range()
    {
        Refused(Keys(1).Key("k", (MetadataType)13).Data(16));
        Refused(Keys(1).Key("k", MetadataType.Array).ArrayOf((MetadataType)13, 1).Data(16));
        Assert.Contains("bool", Refused(Keys(1).Key("k", MetadataType.Bool).Raw(2)));
        Assert.Contains("bool", Refused(Keys(1).Key("k", MetadataType.Array).ArrayOf(MetadataType.Bool, 2).Raw(0, 255)));
        Assert.Contains("UTF-8", Refused(Keys(1).Key("k", MetadataType.String).Text([0xED, 0xA0, 0x80])));
    }

    [Fact]
    public void Arrays_nest_eight_deep_and_no_deeper()
    {
        GgufFile.Open(FileImage.FromBytes("test", Nested(8).ToArray())).Dispose();
        Assert.Contains("nested", Refused(Nested(9)));
        Assert.Contains("nested", Refused(Nested(100_000)));
    }

    [Fact]
    public void Many_tiny_objects_do_not_multiply_the_memory()
    {
        // 24 MB of empty arrays would become 150 MB of objects, and as many bytes of one-letter strings 100 MB.
        GgufBytes empty = Keys(1).Key("k", MetadataType.Array).ArrayOf(MetadataType.Array, 2_000_000);
        byte[] arrays = [.. empty.ToArray(), .. new byte[2_000_000 * 12]];
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("memory", Refused(arrays));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (64L << 20) + (3L * arrays.Length));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(3u)]
    [InlineData(48u)]
    [InlineData(131072u)]
    [InlineData(uint.MaxValue)]
    public void The_alignment_is_a_power_of_two(uint alignment) =>
        Assert.Contains("general.alignment", Refused(Keys(1).Key("general.alignment", MetadataType.UInt32).U32(alignment)));

    [Fact]
    public void The_alignment_is_an_unsigned_number_of_32_bits()
    {
        Refused(Keys(1).Key("general.alignment", MetadataType.Int32).U32(32));
        Refused(Keys(1).Key("general.alignment", MetadataType.UInt64).U64(32));
        Refused(Keys(1).Key("general.alignment", MetadataType.String).Text("32"));
    }

    [Fact]
    public void Tensor_names_are_short_unique_text()
    {
        Refused(OneTensor(""));
        Refused(OneTensor("a\0b"));
        Refused(new GgufBytes().Head(1, 0).Text([0xFF]).U32(1).U64(8).U32(0).U64(0).Pad().Data(32));
        Assert.Contains("twice", Refused(new GgufBytes().Head(2, 0).Tensor("t", 0, 0, 8).Tensor("t", 0, 32, 8).Pad().Data(64)));
        GgufFile.Open(FileImage.FromBytes("test", OneTensor(new string('t', FileLimits.TensorNameBytes)).ToArray())).Dispose();
    }

    [Fact]
    public void Dimensions_are_few_positive_and_bounded()
    {
        Refused(OneTensor("t", sizes: []));
        Refused(OneTensor("t", sizes: [1, 1, 1, 1, 1]));
        Refused(OneTensor("t", sizes: [0]));
        Refused(OneTensor("t", sizes: [8, 0]));
        foreach (ulong size in HostileCounts)
            Refused(OneTensor("t", sizes: [size]));
        Assert.Contains("dimension 0", Refused(OneTensor("t", sizes: [(1UL << 40) + 1])));
        Refused(OneTensor("t", sizes: [1UL << 32, 1UL << 32]));                              // 2^64 elements wrap to 0
        Refused(OneTensor("t", sizes: [1UL << 31, 1UL << 31]));                              // 2^62 elements, 2^64 bytes
        Refused(OneTensor("t", sizes: [1UL << 40, 1UL << 40, 1UL << 40, 1UL << 8]));         // 2^128 wrap in 128 bits too
        Refused(OneTensor("t", sizes: [1UL << 40, 1UL << 40, 1UL << 40, 1UL << 40]));
    }

    [Fact]
    public void Formats_are_known_and_rows_hold_whole_blocks()
    {
        foreach (uint format in (uint[])[4, 5, 31, 36, 43, 1000, int.MaxValue, uint.MaxValue])
            Assert.Contains("format", Refused(OneTensor("t", format)));
        Assert.Contains("multiples of 32", Refused(OneTensor("t", 2, 0, [16, 2])));
        Assert.Contains("multiples of 256", Refused(OneTensor("t", 12, 0, [128, 2])));
    }

    [Fact]
    public void Data_lies_in_the_file_aligned_and_apart()
    {
        Assert.Contains("end of the file", Refused(OneTensor("t", 0, 0, [9])));
        Assert.Contains("end of the file", Refused(OneTensor("t", 0, 32, [8])));
        foreach (ulong offset in HostileCounts)
            Refused(OneTensor("t", 0, offset, [8]));
        Refused(OneTensor("t", 0, ulong.MaxValue - 31, [8]));
        Assert.Contains("alignment", Refused(OneTensor("t", 0, 4, [1])));
        Assert.Contains("overlaps", Refused(new GgufBytes().Head(2, 0).Tensor("a", 0, 0, 9).Tensor("b", 0, 32, 1).Pad().Data(64)));
        Assert.Contains("overlaps", Refused(new GgufBytes().Head(2, 0).Tensor("a", 0, 32, 1).Tensor("b", 0, 0, 9).Pad().Data(64)));
        Assert.Contains("overlaps", Refused(new GgufBytes().Head(2, 0).Tensor("a", 0, 0, 1).Tensor("b", 0, 0, 1).Pad().Data(64)));
    }

    [Fact]
    public void Messages_are_one_line_without_control_characters()
    {
        string message = Refused(Keys(1).Key("a\u001b[2J\n\r" + new string('x', 9999), MetadataType.Bool).Raw(2));
        Assert.DoesNotContain(message, char.IsControl);
        Assert.True(message.Length < 400);
        Assert.StartsWith("test.gguf: ", message, StringComparison.Ordinal);
        Assert.Contains("offset", message);
    }

    private static GgufBytes Keys(ulong count) => new GgufBytes().Head(0, count);

    private static GgufBytes Nested(int depth)
    {
        GgufBytes file = Keys(1).Key("k", MetadataType.Array);
        for (int i = 1; i < depth; i++)
            file.ArrayOf(MetadataType.Array, 1);
        return file.ArrayOf(MetadataType.Bool, 1).Raw(1);
    }

    /// <summary>A file with 32 bytes of data and one tensor, by default of 8 F32 elements that fill it.</summary>
    private static GgufBytes OneTensor(string name, uint format = 0, ulong offset = 0, ulong[]? sizes = null) =>
        new GgufBytes().Head(1, 0).Tensor(name, format, offset, sizes ?? [8]).Pad().Data(32);

    private static string Refused(GgufBytes bytes) => Refused(bytes.ToArray());

    private static string Refused(byte[] bytes) =>
        Assert.Throws<ModelFormatException>(() => GgufFile.Open(FileImage.FromBytes("test.gguf", bytes)).Dispose()).Message;
}
