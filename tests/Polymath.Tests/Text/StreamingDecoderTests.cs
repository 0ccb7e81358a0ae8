using System.Text;
using CsCheck;
using Polymath.Text;
using Xunit;

namespace Polymath.Tests.Text;

public sealed class StreamingDecoderTests
{
    [Fact]
    public void Pieces_and_flush_are_the_text_of_all_ids()
    {
        foreach (Tokenizer tokenizer in Vocabularies.All.Values)
        {
            // Any ids at all: most byte sequences are no valid UTF-8.
            Gen.Int[0, Math.Min(tokenizer.VocabularySize, 320) - 1].Array[0, 60].Sample(
                ids =>
                {
                    var decoder = new StreamingDecoder(tokenizer, startOfText: true);
                    var text = new StringBuilder();
                    foreach (int id in ids)
                    {
                        string piece = decoder.Push(id);
                        Assert.False(piece.Length > 0 && char.IsHighSurrogate(piece[^1]));
                        text.Append(piece);
                    }

                    text.Append(decoder.Flush());
                    Assert.Equal(tokenizer.Decode(ids), text.ToString());
                },
                iter: 500);
        }
    }

    [Fact]
    public void A_character_appears_whole_with_its_last_byte()
    {
        var decoder = new StreamingDecoder(BytesOnly());
        Assert.Equal(["", "", "", "😀"], Encoding.UTF8.GetBytes("😀").Select(value => decoder.Push(value)));
        Assert.Equal("", decoder.Flush());
    }

    [Fact]
    public void Bytes_that_can_become_no_character_appear_at_once()
    {
        var decoder = new StreamingDecoder(BytesOnly());
        Assert.Equal("\uFFFD", decoder.Push(0xFF));
        Assert.Equal("", decoder.Push(0xF0));
        Assert.Equal("\uFFFDa", decoder.Push('a'));
        Assert.Equal("", decoder.Push(0xE2));
        Assert.Equal("", decoder.Push(0x82));
        Assert.Equal("\uFFFD", decoder.Flush());
        Assert.Equal("a", decoder.Push('a'));
    }

    [Fact]
    public void The_space_in_front_is_dropped_at_the_start_of_a_text_only()
    {
        Tokenizer tokenizer = Vocabularies.All["llama"];
        int[] ids = tokenizer.Encode("the dog");
        var start = new StreamingDecoder(tokenizer, startOfText: true);
        var middle = new StreamingDecoder(tokenizer);
        Assert.Equal("the dog", string.Concat(ids.Select(start.Push)));
        Assert.Equal(" the dog", string.Concat(ids.Select(middle.Push)));
    }

    [Fact]
    public void Writing_into_a_span_allocates_nothing()
    {
        Tokenizer tokenizer = Vocabularies.All["gpt-2"];
        int[] ids = tokenizer.Encode(Vocabularies.Sample);
        var decoder = new StreamingDecoder(tokenizer);
        int length = 0;
        void Work()
        {
            Span<char> chars = stackalloc char[256];
            length = Feed(decoder, ids, chars);
        }

        Assert.Equal(0, Allocations.Of(Work));
        Assert.Equal(Vocabularies.Sample.Length, length);
    }

    [Fact]
    public void A_destination_that_is_too_short_is_refused()
    {
        var decoder = new StreamingDecoder(BytesOnly());
        Assert.Throws<ArgumentException>(() => decoder.Push('a', new char[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => decoder.Push(257));
        Assert.Throws<ArgumentOutOfRangeException>(() => decoder.Push(-1));
    }

    private static int Feed(StreamingDecoder decoder, int[] ids, Span<char> chars)
    {
        int length = 0;
        foreach (int id in ids)
            length += decoder.Push(id, chars);
        return length;
    }

    private static Tokenizer BytesOnly() => BpeTrainer.Learn([], 257).ToTokenizer();
}
