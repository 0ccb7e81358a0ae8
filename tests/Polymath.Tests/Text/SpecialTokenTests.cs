using Polymath.Files;
using Polymath.Text;
using Xunit;

namespace Polymath.Tests.Text;

public sealed class SpecialTokenTests
{
    private const string End = LearnedVocabulary.EndOfText;

    [Fact]
    public void Control_tokens_in_a_text_count_only_when_asked()
    {
        foreach ((string name, Tokenizer tokenizer) in Vocabularies.All)
        {
            string control = name == "llama" ? "</s>" : End;
            int id = tokenizer.EndId!.Value;
            Assert.Equal(control, tokenizer.TokenText(id));
            Assert.DoesNotContain(id, tokenizer.Encode($"a {control} b{control}", addSpecial: false));
            Assert.Equal($"a {control} b", tokenizer.Decode(tokenizer.Encode($"a {control} b")));
            int[] parsed = tokenizer.Encode($"a{control}{control}b", addSpecial: false, parseSpecial: true);
            Assert.Equal(2, parsed.Count(found => found == id));
            Assert.Empty(tokenizer.TokenBytes(id).ToArray());
            Assert.True(tokenizer.IsSpecial(id));
            Assert.True(tokenizer.IsEndOfGeneration(id));
        }
    }

    [Fact]
    public void User_defined_tokens_always_count_and_the_longest_wins()
    {
        Metadata metadata = Vocabularies.ByteLevel();
        int first = Add(metadata, ("<tool>", 4), ("<tool><tool>", 4), ("ool><x", 4), ("<x>", 3));
        Tokenizer tokenizer = Tokenizer.FromMetadata(metadata, "test");
        Assert.Equal([first + 1, first, 'x'], tokenizer.Encode("<tool><tool><tool>x", addSpecial: false));
        Assert.Equal([first, .. tokenizer.Encode("<x>", addSpecial: false)], tokenizer.Encode("<tool><x>", addSpecial: false));
        Assert.Equal([first, first + 3], tokenizer.Encode("<tool><x>", addSpecial: false, parseSpecial: true));
        Assert.Equal("<tool>", tokenizer.Decode([first]));
        Assert.Equal("", tokenizer.Decode([first + 3]));
    }

    [Fact]
    public void Begin_and_end_stand_where_the_model_wants_them()
    {
        Metadata metadata = Vocabularies.ByteLevel();
        int id = metadata.GetInt32("tokenizer.ggml.eos_token_id");
        metadata.Set("tokenizer.ggml.add_eos_token", true);
        Tokenizer tokenizer = Tokenizer.FromMetadata(metadata, "test");
        Assert.Equal([id, '!', id], tokenizer.Encode("!"));
        Assert.Equal(['!'], tokenizer.Encode("!", addSpecial: false));
        Assert.Equal([id, id], tokenizer.Encode(""));
    }

    [Fact]
    public void A_space_goes_in_front_of_a_text_and_behind_special_tokens()
    {
        Tokenizer tokenizer = Vocabularies.All["llama"];
        Assert.Equal(" the", string.Concat(tokenizer.Encode("the").Select(id => Bytes(tokenizer, id))));
        Assert.Equal(" the the", string.Concat(tokenizer.Encode("the</s>the", parseSpecial: true).Select(id => Bytes(tokenizer, id))));
        Assert.Equal([1], tokenizer.Encode(""));
        Metadata metadata = Vocabularies.SentencePiece();
        metadata.Set("tokenizer.ggml.add_space_prefix", false);
        Tokenizer without = Tokenizer.FromMetadata(metadata, "test");
        Assert.Equal("the", string.Concat(without.Encode("the").Select(id => Bytes(without, id))));
        Assert.Equal(" the", without.Decode(without.Encode(" the")));
    }

    [Theory]
    [InlineData("<|eot_id|>")]
    [InlineData("<|im_end|>")]
    [InlineData("<end_of_turn>")]
    [InlineData("<|end_of_text|>")]
    [InlineData("</s>")]
    public void Well_known_texts_end_a_generation_whatever_their_type(string text)
    {
        Metadata metadata = Vocabularies.ByteLevel();
        int id = Add(metadata, (text, 1));
        Tokenizer tokenizer = Tokenizer.FromMetadata(metadata, "test");
        Assert.True(tokenizer.IsEndOfGeneration(id));
        Assert.True(tokenizer.IsSpecial(id));
        Assert.False(tokenizer.IsEndOfGeneration('a'));
    }

    [Fact]
    public void End_of_turn_and_end_of_message_ids_end_a_generation()
    {
        Metadata metadata = Vocabularies.ByteLevel();
        int id = Add(metadata, ("<turn>", 3), ("<message>", 3));
        metadata.Set("tokenizer.ggml.eot_token_id", (uint)id);
        metadata.Set("tokenizer.ggml.eom_token_id", (uint)id + 1);
        Tokenizer tokenizer = Tokenizer.FromMetadata(metadata, "test");
        Assert.True(tokenizer.IsEndOfGeneration(id));
        Assert.True(tokenizer.IsEndOfGeneration(id + 1));
    }

    /// <summary>Adds tokens behind the others; returns the id of the first.</summary>
    internal static int Add(Metadata metadata, params (string Text, int Kind)[] added)
    {
        string[] tokens = metadata.GetArray<string>("tokenizer.ggml.tokens")!;
        int[] kinds = metadata.GetArray<int>("tokenizer.ggml.token_type")!;
        metadata.Set("tokenizer.ggml.tokens", (string[])[.. tokens, .. added.Select(token => token.Text)]);
        metadata.Set("tokenizer.ggml.token_type", (int[])[.. kinds, .. added.Select(token => token.Kind)]);
        return tokens.Length;
    }

    private static string Bytes(Tokenizer tokenizer, int id) => System.Text.Encoding.UTF8.GetString(tokenizer.TokenBytes(id));
}
